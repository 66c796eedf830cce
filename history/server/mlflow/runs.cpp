#include "common/clock.hpp"
#include "common/uuid.hpp"
#include "history/server/mlflow/checks.hpp"
#include "history/server/mlflow/entities.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/existing_run.hpp"
#include "history/server/mlflow/fields.hpp"
#include "history/server/mlflow/replies.hpp"
#include "history/server/mlflow/routes.hpp"
#include "history/store/limits.hpp"
#include "history/store/run_name.hpp"

namespace lockstep::history::server::mlflow {

static const std::string* tag_value(const std::vector<KeyValue>& tags, std::string_view key) {
  for (const KeyValue& each : tags) {
    if (each.key == key) return &each.value;
  }
  return nullptr;
}

static Reply run_reply(const FullRun& run) { return entity_reply("run", run); }

// The name is the one given, or the tag's; if both are there they must be the same. A run without one gets one.
static std::string name_of_new_run(const Fields& fields, const std::vector<KeyValue>& tags) {
  std::string name = fields.text("run_name");
  const std::string* tagged = tag_value(tags, "mlflow.runName");
  if (!name.empty() && tagged != nullptr && *tagged != name) {
    throw invalid_parameter(
        "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
        "(run_name='{}', mlflow.runName='{}').",
        name, *tagged);
  }
  if (name.empty() && tagged != nullptr) name = *tagged;
  return name.empty() ? generate_run_name().display_name : name;
}

// All that a new run has, without a look into the tables where it has nothing yet.
static FullRun new_run(Store& store, const std::string& run_id) {
  FullRun run;
  run.run = store.get_run(run_id);
  run.tags = store.tags(run_id);
  return run;
}

static Work create_run(const Request& request) {
  const Fields fields(request);
  NewRun run;
  run.run_id = ordered_uuid();
  run.experiment_id = fields.text("experiment_id");
  if (run.experiment_id.empty()) run.experiment_id = "0";
  limits::experiment_number(run.experiment_id);
  run.tags = fields.key_values("tags");
  for (std::size_t i = 0; i < run.tags.size(); ++i) check_tag(run.tags[i], fmt::format("tags[{}]", i));
  run.display_name = name_of_new_run(fields, run.tags);
  run.user_id = fields.text("user_id");
  run.reported_since_ms = fields.integer("start_time").value_or(now_ms());
  if (const std::string* parent = tag_value(run.tags, "mlflow.parentRunId")) run.parent_run_id = *parent;
  return [run = std::move(run)](Store& store) mutable {
    check_experiment_is_active(store, run.experiment_id);
    store.create_run(run);
    return run_reply(new_run(store, run.run_id));
  };
}

static Work get_run(const Request& request) {
  return [id = run_id_of(Fields(request))](Store& store) {
    return with_run(id, [&] { return run_reply(store.get_full_run(id)); });
  };
}

static RunState state_of_status(const std::string& status) {
  static constexpr std::pair<std::string_view, RunState> words[] = {{"RUNNING", RunState::running},
                                                                    {"SCHEDULED", RunState::queued},
                                                                    {"FINISHED", RunState::completed},
                                                                    {"FAILED", RunState::failed},
                                                                    {"KILLED", RunState::canceled}};
  for (const auto& [word, state] : words) {
    if (word == status) return state;
  }
  invalid_value("status", status, "It must be one of RUNNING, SCHEDULED, FINISHED, FAILED, KILLED.");
}

// By name or, as protobuf has it, by number.
static std::optional<RunState> state_in(const Fields& fields) {
  static constexpr const char* numbered[] = {"", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
  if (!fields.has("status")) return std::nullopt;
  const auto& status = fields.object()["status"];
  if (status.is_number_unsigned() && status >= 1 && status <= 5) {
    return state_of_status(numbered[status.get<std::size_t>()]);
  }
  return state_of_status(fields.text("status"));
}

static Work update_run(const Request& request) {
  const Fields fields(request);
  RunUpdate changes{.state = state_in(fields), .ended_ms = fields.integer("end_time"), .display_name = {}};
  if (auto name = fields.optional_text("run_name"); name && !name->empty()) changes.display_name = std::move(name);
  return [id = run_id_of(fields), changes = std::move(changes)](Store& store) {
    return with_run(id, [&] {
      store.update_run(id, changes);
      return object_reply([&](JsonText& out) {
        out.key("run_info");
        write_info(out, store.get_run(id));
      });
    });
  };
}

static std::function<Work(const Request&)> run_becomes(Lifecycle lifecycle) {
  return [lifecycle](const Request& request) -> Work {
    return [id = run_id_of(Fields(request)), lifecycle](Store& store) {
      return with_run(id, [&] {
        store.set_lifecycle(id, lifecycle);
        return empty_reply();
      });
    };
  };
}

Routes run_routes() {
  Routes routes;
  add_route(routes, Verb::post, "runs/create", Access::write, create_run);
  add_route(routes, Verb::get, "runs/get", Access::read, get_run);
  add_route(routes, Verb::post, "runs/update", Access::write, update_run);
  add_removing_route(routes, Verb::post, "runs/delete", run_becomes(Lifecycle::archived));
  add_removing_route(routes, Verb::post, "runs/restore", run_becomes(Lifecycle::active));
  return routes;
}

}  // namespace lockstep::history::server::mlflow
