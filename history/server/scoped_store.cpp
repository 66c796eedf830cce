#include "history/server/scoped_store.hpp"

#include <fmt/format.h>

namespace lockstep::history::server {

static constexpr int most_generations = 100;  // a tag can make a run its own ancestor

void ScopedStore::refuse(const std::string& what) const {
  throw NotPermitted(ExitCode::failed, fmt::format("The token of run {} does not permit to {}.", run_id_, what));
}

// Whether it is our run or one below it. not_found if there is no such run.
bool ScopedStore::is_ours(const std::string& run_id) {
  if (run_id == run_id_ || (!run_id.empty() && run_id == known_as_ours_)) return true;
  if (run_id.empty()) return false;
  std::string each = all_.get_run(run_id).parent_run_id;
  for (int generation = 0; generation < most_generations && !each.empty(); ++generation) {
    if (each == run_id_) {
      known_as_ours_ = run_id;
      return true;
    }
    try {
      each = all_.get_run(each).parent_run_id;
    } catch (const Error& error) {
      if (error.code() != ExitCode::not_found) throw;
      return false;  // a tag may name any parent
    }
  }
  return false;
}

void ScopedStore::check_may_change_run(const std::string& run_id) {
  if (!is_ours(run_id)) refuse(run_id.empty() ? "change what belongs to no run" : "change run " + run_id);
}

void ScopedStore::check_may_change_model(const std::string& model_id) {
  if (!is_ours(all_.get_logged_model(model_id).source_run_id)) refuse("change model " + model_id);
}

void ScopedStore::check_version(const std::string& name, int version) {
  const ModelVersion registered = all_.get_model_version(name, version);
  if (registered.run_id.empty() && !registered.model_id.empty()) {
    check_may_change_model(registered.model_id);
  } else if (!is_ours(registered.run_id)) {
    refuse(fmt::format("change version {} of model {}", version, name));
  }
}

// --- experiments ---
Experiment ScopedStore::create_experiment(const std::string&, const std::string&, const std::vector<KeyValue>&) {
  return experiment();
}
Experiment ScopedStore::get_experiment_by_name(const std::string&) { return experiment(); }
Experiment ScopedStore::get_or_create_experiment(const std::string&) { return experiment(); }
void ScopedStore::rename_experiment(const std::string&, const std::string&) { refuse("rename an experiment"); }
void ScopedStore::set_experiment_lifecycle(const std::string&, Lifecycle) { refuse("delete or restore an experiment"); }
void ScopedStore::set_experiment_tag(const std::string&, const KeyValue&) { refuse("tag an experiment"); }
void ScopedStore::delete_experiment_tag(const std::string&, const std::string&) { refuse("tag an experiment"); }

// --- runs ---
void ScopedStore::create_run(const NewRun& run) {
  NewRun child = run;
  for (const KeyValue& tag : run.tags) {
    if (run.parent_run_id.empty() && tag.key == "mlflow.parentRunId") child.parent_run_id = tag.value;
  }
  if (child.parent_run_id.empty()) child.parent_run_id = run_id_;
  if (!is_ours(child.parent_run_id)) refuse("begin a run below " + child.parent_run_id);
  all_.create_run(child);
}
void ScopedStore::update_run(const std::string& run_id, const RunUpdate& update) {
  check_may_change_run(run_id);
  all_.update_run(run_id, update);
}
void ScopedStore::set_lifecycle(const std::string& run_id, Lifecycle lifecycle) {
  if (run_id == run_id_) refuse("delete or restore the run itself");
  check_may_change_run(run_id);
  all_.set_lifecycle(run_id, lifecycle);
}
std::int64_t ScopedStore::take_ownership(const std::string&) { refuse("own a run"); }
void ScopedStore::transition(const std::string&, std::int64_t, RunState, const Outcome&) { refuse("own a run"); }
bool ScopedStore::request_cancel(const std::string& run_id, const std::string& reason) {
  check_may_change_run(run_id);
  return all_.request_cancel(run_id, reason);
}
void ScopedStore::log_batch(const std::string& run_id, std::span<const Metric> metrics,
                            std::span<const KeyValue> params, std::span<const KeyValue> tags) {
  check_may_change_run(run_id);
  all_.log_batch(run_id, metrics, params, tags);
}
void ScopedStore::delete_tag(const std::string& run_id, const std::string& key) {
  check_may_change_run(run_id);
  all_.delete_tag(run_id, key);
}
void ScopedStore::log_inputs(const std::string& run_id, const std::vector<DatasetInput>& datasets,
                             const std::vector<ModelUse>& models) {
  check_may_change_run(run_id);
  all_.log_inputs(run_id, datasets, models);
}
void ScopedStore::log_outputs(const std::string& run_id, const std::vector<ModelUse>& models) {
  check_may_change_run(run_id);
  all_.log_outputs(run_id, models);
}
std::vector<std::string> ScopedStore::take_journal(const std::string& run_id, const JournalBatch& batch) {
  check_may_change_run(run_id);
  return all_.take_journal(run_id, batch);
}

// --- the registry ---
RegisteredModel ScopedStore::rename_registered_model(const std::string&, const std::string&) {
  refuse("rename a registered model");
}
RegisteredModel ScopedStore::describe_registered_model(const std::string&, const std::string&) {
  refuse("describe a registered model");
}
void ScopedStore::delete_registered_model(const std::string&) { refuse("delete a registered model"); }
void ScopedStore::set_registered_model_tag(const std::string&, const KeyValue&) { refuse("tag a registered model"); }
void ScopedStore::delete_registered_model_tag(const std::string&, const std::string&) {
  refuse("tag a registered model");
}
void ScopedStore::set_model_alias(const std::string&, const std::string&, int) { refuse("set an alias"); }
void ScopedStore::delete_model_alias(const std::string&, const std::string&) { refuse("delete an alias"); }
ModelVersion ScopedStore::create_model_version(const NewModelVersion& version) {
  if (!version.model_id.empty()) {
    check_may_change_model(version.model_id);
  } else if (!is_ours(version.run_id)) {
    refuse("register what another run made");
  }
  return all_.create_model_version(version);
}
ModelVersion ScopedStore::describe_model_version(const std::string& name, int version, const std::string& description) {
  check_version(name, version);
  return all_.describe_model_version(name, version, description);
}
ModelVersion ScopedStore::move_model_version(const std::string&, int, const std::string&, bool) {
  refuse("move a version to another stage");
}
void ScopedStore::delete_model_version(const std::string&, int) { refuse("delete a version of a model"); }
void ScopedStore::set_model_version_tag(const std::string& name, int version, const KeyValue& tag) {
  check_version(name, version);
  all_.set_model_version_tag(name, version, tag);
}
void ScopedStore::delete_model_version_tag(const std::string& name, int version, const std::string& key) {
  check_version(name, version);
  all_.delete_model_version_tag(name, version, key);
}

// --- logged models ---
LoggedModel ScopedStore::create_logged_model(const NewLoggedModel& model) {
  NewLoggedModel ours = model;
  if (ours.source_run_id.empty()) ours.source_run_id = run_id_;
  if (!is_ours(ours.source_run_id)) refuse("log a model of run " + ours.source_run_id);
  return all_.create_logged_model(ours);
}
LoggedModel ScopedStore::finish_logged_model(const std::string& model_id, LoggedModelStatus status) {
  check_may_change_model(model_id);
  return all_.finish_logged_model(model_id, status);
}
void ScopedStore::delete_logged_model(const std::string& model_id) {
  check_may_change_model(model_id);
  all_.delete_logged_model(model_id);
}
void ScopedStore::set_logged_model_tags(const std::string& model_id, const std::vector<KeyValue>& tags) {
  check_may_change_model(model_id);
  all_.set_logged_model_tags(model_id, tags);
}
void ScopedStore::delete_logged_model_tag(const std::string& model_id, const std::string& key) {
  check_may_change_model(model_id);
  all_.delete_logged_model_tag(model_id, key);
}
void ScopedStore::log_logged_model_params(const std::string& model_id, const std::vector<KeyValue>& params) {
  check_may_change_model(model_id);
  all_.log_logged_model_params(model_id, params);
}
// What our run measured may be about anybody's model: an evaluation.
void ScopedStore::log_model_metrics(const std::string& model_id, const std::vector<ModelMetric>& metrics) {
  for (const ModelMetric& each : metrics) check_may_change_run(each.run_id);
  all_.log_model_metrics(model_id, metrics);
}

// --- tokens ---
void ScopedStore::create_token(const AccessToken&, const std::string&) { refuse("create a token"); }
std::vector<AccessToken> ScopedStore::list_tokens() { refuse("list tokens"); }
void ScopedStore::delete_token(const std::string&) { refuse("delete a token"); }

// --- imports ---
std::string ScopedStore::import_experiment(const Experiment&) { refuse("import an experiment"); }
bool ScopedStore::import_run(const ImportedRun&, const NextSeries&) { refuse("import a run"); }
bool ScopedStore::import_registered_model(const ImportedModel&) { refuse("import a registered model"); }
bool ScopedStore::import_logged_model(const LoggedModel&) { refuse("import a model"); }

Work scoped_to(const std::string& run_id, Work work) {
  return [run_id, work = std::move(work)](Store& all) {
    ScopedStore ours(all, run_id);
    return work(ours);
  };
}

}  // namespace lockstep::history::server
