// A store as the bearer of a run's token has it: reads everything, changes nothing but that run, the runs below it, and
// the models that they made. Everything else throws NotPermitted. Three things it does for scripts that were written
// for another place:
// - Whatever experiment they name, theirs is the run's: set_experiment() in a job changes nothing (mlflow#7675).
// - A run that they begin without a parent is a child of theirs.
// - So is, with the run as its source, a model that names none.
#pragma once

#include <string>

#include "history/server/route.hpp"
#include "history/store/store.hpp"

namespace lockstep::history::server {

class ScopedStore : public Store {
 public:
  // The store outlives it. What it finds out about runs it remembers: one is made for each request.
  ScopedStore(Store& all, const std::string& run_id) : all_(all), run_id_(run_id) {}

  void check_may_change_run(const std::string& run_id) override;
  void check_may_change_model(const std::string& model_id) override;
  void in_one_commit(Survives survives, const std::function<void()>& work) override {
    all_.in_one_commit(survives, work);
  }

  Experiment create_experiment(const std::string& name, const std::string& artifact_location,
                               const std::vector<KeyValue>& tags) override;
  Experiment get_experiment_by_id(const std::string& id) override { return all_.get_experiment_by_id(id); }
  Experiment get_experiment_by_name(const std::string& name) override;
  void rename_experiment(const std::string& id, const std::string& name) override;
  void set_experiment_lifecycle(const std::string& id, Lifecycle lifecycle) override;
  void set_experiment_tag(const std::string& id, const KeyValue& tag) override;
  void delete_experiment_tag(const std::string& id, const std::string& key) override;
  ExperimentPage search_experiments(const Search& search) override { return all_.search_experiments(search); }
  Experiment get_or_create_experiment(const std::string& name) override;
  Experiment get_experiment(const std::string& name_or_id) override { return all_.get_experiment(name_or_id); }
  std::vector<Experiment> list_experiments(View view) override { return all_.list_experiments(view); }

  void create_run(const NewRun& run) override;
  Run get_run(const std::string& run_id) override { return all_.get_run(run_id); }
  FullRun get_full_run(const std::string& run_id) override { return all_.get_full_run(run_id); }
  FullRunPage search_runs(const Search& search) override { return all_.search_runs(search); }
  RunPage list_runs(const RunQuery& query) override { return all_.list_runs(query); }
  std::vector<StateChange> state_history(const std::string& run_id) override { return all_.state_history(run_id); }
  void update_run(const std::string& run_id, const RunUpdate& update) override;
  void set_lifecycle(const std::string& run_id, Lifecycle lifecycle) override;
  std::int64_t take_ownership(const std::string& run_id) override;
  void transition(const std::string& run_id, std::int64_t epoch, RunState to, const Outcome& outcome) override;
  bool request_cancel(const std::string& run_id, const std::string& reason) override;

  void log_batch(const std::string& run_id, std::span<const Metric> metrics, std::span<const KeyValue> params,
                 std::span<const KeyValue> tags) override;
  void delete_tag(const std::string& run_id, const std::string& key) override;
  void log_inputs(const std::string& run_id, const std::vector<DatasetInput>& datasets,
                  const std::vector<ModelUse>& models) override;
  void log_outputs(const std::string& run_id, const std::vector<ModelUse>& models) override;
  std::vector<DatasetSummary> dataset_summaries(const std::vector<std::string>& ids) override {
    return all_.dataset_summaries(ids);
  }
  std::vector<std::string> take_journal(const std::string& run_id, const JournalBatch& batch) override;
  std::int64_t journal_taken_through(const std::string& run_id, int rank) override {
    return all_.journal_taken_through(run_id, rank);
  }
  std::vector<KeyValue> params(const std::string& run_id) override { return all_.params(run_id); }
  std::vector<KeyValue> tags(const std::string& run_id) override { return all_.tags(run_id); }
  std::vector<Metric> latest_metrics(const std::string& run_id) override { return all_.latest_metrics(run_id); }
  std::vector<Activity> activity() override { return all_.activity(); }
  Curve curve(const std::string& run_id, const std::string& key, const CurveQuery& query) override {
    return all_.curve(run_id, key, query);
  }
  LatestPage latest_page(const std::string& run_id, const std::string& part, int max_results,
                         const std::string& page_token) override {
    return all_.latest_page(run_id, part, max_results, page_token);
  }
  std::string metrics_mark(const std::string& run_id) override { return all_.metrics_mark(run_id); }
  std::vector<Metric> metric_history(const std::string& run_id, const std::string& key) override {
    return all_.metric_history(run_id, key);
  }
  MetricPage metric_history_page(const std::string& run_id, const std::string& key, int max_results,
                                 const std::string& page_token) override {
    return all_.metric_history_page(run_id, key, max_results, page_token);
  }
  std::vector<Metric> metric_interval(const std::string& run_id, const std::string& key,
                                      std::optional<std::int64_t> first, std::optional<std::int64_t> last,
                                      int max_results) override {
    return all_.metric_interval(run_id, key, first, last, max_results);
  }

  // Anybody may register a model, and versions of what its own runs made; names, stages and aliases are not a job's.
  RegisteredModel create_registered_model(const std::string& name, const std::string& description,
                                          const std::vector<KeyValue>& tags) override {
    return all_.create_registered_model(name, description, tags);
  }
  RegisteredModel get_registered_model(const std::string& name) override { return all_.get_registered_model(name); }
  RegisteredModel rename_registered_model(const std::string& name, const std::string& new_name) override;
  RegisteredModel describe_registered_model(const std::string& name, const std::string& description) override;
  void delete_registered_model(const std::string& name) override;
  void set_registered_model_tag(const std::string& name, const KeyValue& tag) override;
  void delete_registered_model_tag(const std::string& name, const std::string& key) override;
  void set_model_alias(const std::string& name, const std::string& alias, int version) override;
  void delete_model_alias(const std::string& name, const std::string& alias) override;
  ModelVersion get_model_version_by_alias(const std::string& name, const std::string& alias) override {
    return all_.get_model_version_by_alias(name, alias);
  }
  RegisteredModelPage search_registered_models(const Search& search) override {
    return all_.search_registered_models(search);
  }
  ModelVersion create_model_version(const NewModelVersion& version) override;
  ModelVersion get_model_version(const std::string& name, int version) override {
    return all_.get_model_version(name, version);
  }
  ModelVersion describe_model_version(const std::string& name, int version, const std::string& description) override;
  ModelVersion move_model_version(const std::string& name, int version, const std::string& stage,
                                  bool archive_existing) override;
  void delete_model_version(const std::string& name, int version) override;
  void set_model_version_tag(const std::string& name, int version, const KeyValue& tag) override;
  void delete_model_version_tag(const std::string& name, int version, const std::string& key) override;
  ModelVersionPage search_model_versions(const Search& search) override { return all_.search_model_versions(search); }

  LoggedModel create_logged_model(const NewLoggedModel& model) override;
  LoggedModel get_logged_model(const std::string& model_id) override { return all_.get_logged_model(model_id); }
  LoggedModel finish_logged_model(const std::string& model_id, LoggedModelStatus status) override;
  void delete_logged_model(const std::string& model_id) override;
  void set_logged_model_tags(const std::string& model_id, const std::vector<KeyValue>& tags) override;
  void delete_logged_model_tag(const std::string& model_id, const std::string& key) override;
  void log_logged_model_params(const std::string& model_id, const std::vector<KeyValue>& params) override;
  void log_model_metrics(const std::string& model_id, const std::vector<ModelMetric>& metrics) override;
  LoggedModelPage search_logged_models(const Search& search) override { return all_.search_logged_models(search); }

  void create_token(const AccessToken& token, const std::string& sha256) override;
  std::optional<AccessToken> find_token(const std::string& sha256) override { return all_.find_token(sha256); }
  std::vector<AccessToken> list_tokens() override;
  void delete_token(const std::string& token_id) override;

  std::string import_experiment(const Experiment& experiment) override;
  bool import_run(const ImportedRun& run, const NextSeries& next) override;
  bool import_registered_model(const ImportedModel& model) override;
  int newest_version(const std::string& name) override { return all_.newest_version(name); }
  bool import_logged_model(const LoggedModel& model) override;
  void sync_imports() override { all_.sync_imports(); }

 private:
  [[noreturn]] void refuse(const std::string& what) const;
  bool is_ours(const std::string& run_id);
  void check_version(const std::string& name, int version);
  Experiment experiment() { return all_.get_experiment_by_id(all_.get_run(run_id_).experiment_id); }

  Store& all_;
  std::string run_id_;
  std::string known_as_ours_;  // the run asked for last, if it is one
};

// The same work, on no more than what the run may change.
Work scoped_to(const std::string& run_id, Work work);

}  // namespace lockstep::history::server
