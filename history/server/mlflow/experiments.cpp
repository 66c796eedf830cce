#include "history/server/mlflow/checks.hpp"
#include "history/server/mlflow/entities.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/existing_run.hpp"
#include "history/server/mlflow/fields.hpp"
#include "history/server/mlflow/replies.hpp"
#include "history/server/mlflow/routes.hpp"
#include "history/store/limits.hpp"

namespace lockstep::history::server::mlflow {

// Throws MLflow's error for an id that can't be one, or that nobody has.
static Experiment existing(Store& store, const std::string& experiment_id) {
  limits::experiment_number(experiment_id);
  try {
    return store.get_experiment_by_id(experiment_id);
  } catch (const Error& error) {
    if (error.code() != ExitCode::not_found) throw;
    throw does_not_exist("No Experiment with id={} exists", experiment_id);
  }
}

static Reply experiment_reply(const Experiment& experiment) { return entity_reply("experiment", experiment); }

static Work create_experiment(const Request& request) {
  const Fields fields(request);
  std::string name = fields.required_text("name");
  check_experiment_name(name);
  auto tags = fields.key_values("tags");
  for (const KeyValue& tag : tags) check_experiment_tag(tag);
  return [name = std::move(name), location = fields.text("artifact_location"), tags = std::move(tags)](Store& store) {
    const Experiment made = store.create_experiment(name, location, tags);
    return object_reply([&](JsonText& out) { out.member("experiment_id", std::string_view(made.experiment_id)); });
  };
}

static Work get_experiment(const Request& request) {
  return [id = Fields(request).required_text("experiment_id")](Store& store) {
    return experiment_reply(existing(store, id));
  };
}

static Work get_by_name(const Request& request) {
  return [name = Fields(request).required_text("experiment_name")](Store& store) {
    try {
      return experiment_reply(store.get_experiment_by_name(name));
    } catch (const Error& error) {
      if (error.code() != ExitCode::not_found) throw;
      throw does_not_exist("Could not find experiment with name '{}'", name);
    }
  };
}

static Work update_experiment(const Request& request) {
  const Fields fields(request);
  std::string name = fields.required_text("new_name");
  check_experiment_name(name);
  return [id = fields.required_text("experiment_id"), name = std::move(name)](Store& store) {
    const Experiment experiment = existing(store, id);
    if (experiment.lifecycle != Lifecycle::active) throw invalid_parameter("Cannot rename a non-active experiment.");
    store.rename_experiment(id, name);
    return empty_reply();
  };
}

static std::function<Work(const Request&)> experiment_becomes(Lifecycle lifecycle) {
  return [lifecycle](const Request& request) -> Work {
    return [id = Fields(request).required_text("experiment_id"), lifecycle](Store& store) {
      existing(store, id);
      store.set_experiment_lifecycle(id, lifecycle);
      return empty_reply();
    };
  };
}

static Work set_experiment_tag(const Request& request) {
  const Fields fields(request);
  KeyValue tag{fields.required_text("key"), fields.text("value")};
  check_experiment_tag(tag);
  return [id = fields.required_text("experiment_id"), tag = std::move(tag)](Store& store) {
    existing(store, id);
    store.set_experiment_tag(id, tag);
    return empty_reply();
  };
}

static Work delete_experiment_tag(const Request& request) {
  const Fields fields(request);
  return [id = fields.required_text("experiment_id"), key = fields.required_text("key")](Store& store) {
    existing(store, id);
    store.delete_experiment_tag(id, key);
    return empty_reply();
  };
}

static Work search_datasets(const Request& request) {
  constexpr std::size_t most = 20;
  auto ids = Fields(request).texts("experiment_ids");
  if (ids.empty()) throw invalid_parameter("SearchDatasets request must specify at least one experiment_id.");
  if (ids.size() > most) {
    throw invalid_parameter(
        "SearchDatasets request cannot specify more than {} experiment_ids. Received {} experiment_ids.", most,
        ids.size());
  }
  return [ids = std::move(ids)](Store& store) {
    return list_reply("dataset_summaries", store.dataset_summaries(ids), [](JsonText& out, const DatasetSummary& each) {
      out.begin_object();
      out.member("experiment_id", std::string_view(each.experiment_id));
      out.member("name", std::string_view(each.name));
      out.member("digest", std::string_view(each.digest));
      out.member_if_set("context", each.context);
      out.end_object();
    });
  };
}

Routes experiment_routes() {
  Routes routes;
  add_route(routes, Verb::post, "experiments/create", Access::write, create_experiment);
  add_route(routes, Verb::get, "experiments/get", Access::read, get_experiment);
  add_route(routes, Verb::get, "experiments/get-by-name", Access::read, get_by_name);
  add_removing_route(routes, Verb::post, "experiments/update", update_experiment);
  add_removing_route(routes, Verb::post, "experiments/delete", experiment_becomes(Lifecycle::archived));
  add_removing_route(routes, Verb::post, "experiments/restore", experiment_becomes(Lifecycle::active));
  add_route(routes, Verb::post, "experiments/set-experiment-tag", Access::write, set_experiment_tag);
  add_route(routes, Verb::post, "experiments/delete-experiment-tag", Access::write, delete_experiment_tag);
  add_route(routes, Verb::post, "experiments/search-datasets", Access::read, search_datasets);
  return routes;
}

}  // namespace lockstep::history::server::mlflow
