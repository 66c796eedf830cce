#include "tests/unit/transfer/rich_history.hpp"

#include <gmock/gmock.h>

#include <bit>
#include <limits>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history::transfer {

namespace {
constexpr auto limits = std::numeric_limits<double>();

void fill_owned_run(Store& store, const std::string& experiment_id) {
  NewRun run = new_run("owned_run", experiment_id);
  run.display_name = "öäü 🦦 \"quoted\"\n";
  run.user_id = "ada";
  run.artifact_uri = "file:///x/y";
  run.compute = "local";
  run.params = {{"lr", "0.1"}, {"note", "line\nline\ttab \\ \x01"}, {"empty", ""}};
  run.tags = {{"team", "видение"}, {"a/b.c-d e:f", "日本"}};
  store.create_run(run);
  const std::int64_t epoch = store.take_ownership("owned_run");
  store.transition("owned_run", epoch, RunState::preparing);
  store.transition("owned_run", epoch, RunState::running);
  const std::vector<Metric> metrics = {{"loss", 1.0 / 3, 1000, 0},
                                       {"loss", -0.1, 1001, 1},
                                       {"loss", limits.quiet_NaN(), 1002, 2},
                                       {"up", limits.infinity(), 5, 0},
                                       {"up", -limits.infinity(), 6, 1},
                                       {"small", limits.denorm_min(), 1, -7},
                                       {"large", limits.max(), 1, std::numeric_limits<std::int64_t>::max()},
                                       {"mixed", 3, 30, 3},
                                       {"mixed", 1, 10, 1},
                                       {"mixed", 1, 10, 1},
                                       {"mixed", 2, 20, 2}};
  store.log_batch("owned_run", metrics, {}, {});
  Outcome outcome = because("rank 1 was killed by signal 9");
  outcome.signal = 9;
  outcome.first_failed_rank = 1;
  store.transition("owned_run", epoch, RunState::failed, outcome);
}

void fill_reported_runs(Store& store, const std::string& experiment_id) {
  for (const std::string name : {"parent", "child", "grandchild", "thrown_away"}) {
    NewRun run = new_run(name, experiment_id);
    run.reported_since_ms = 1'700'000'000'000;
    if (name == "child") run.parent_run_id = "parent";
    if (name == "grandchild") run.parent_run_id = "child";
    store.create_run(run);
  }
  store.log_inputs("child",
                   {{{"images", "d1g", "local", "{\"uri\":\"x\"}", "{\"s\":1}", "{}"},
                     {{"mlflow.data.context", "training"}, {"k", "v"}}},
                    {{"labels", "d2g", "s3", "src", "", ""}, {}}},
                   {{"m-0123", 0}});
  store.log_outputs("child", {{"m-0123", 7}});
  store.update_run("child", {RunState::completed, 1'700'000'009'000, {}});
  store.set_lifecycle("thrown_away", Lifecycle::archived);
}

void fill_models(Store& store, const std::string& experiment_id) {
  store.create_logged_model({"m-0123", experiment_id, "net", "uri", "pytorch", "child", {{"p", "q"}}, {{"t", "ü"}}});
  store.log_model_metrics(
      "m-0123", {{{"acc", 0.5, 1, 2}, "child", "images", "d1g"}, {{"acc", limits.quiet_NaN(), 2, 3}, "child", "", ""}});
  store.finish_logged_model("m-0123", LoggedModelStatus::ready);
  store.create_registered_model("net", "words", {{"k", "v"}});
  for (const std::string source : {"one", "two", "three", "four"}) {
    NewModelVersion version;
    version.name = "net";
    version.source = source;
    version.run_id = "child";
    version.model_id = "m-0123";
    version.description = "of " + source;
    version.tags = {{"from", source}};
    store.create_model_version(version);
  }
  store.move_model_version("net", 1, "Production", false);
  store.set_model_alias("net", "champion", 2);
  store.delete_model_version("net", 4);
  store.create_registered_model("asked", "", {{"mlflow.prompt.is_prompt", "true"}});
}

bool same_bits(double a, double b) {
  return (a != a && b != b) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

void expect_same(const std::vector<Metric>& got, const std::vector<Metric>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].key, wanted[i].key);
    EXPECT_EQ(got[i].step, wanted[i].step);
    EXPECT_EQ(got[i].timestamp_ms, wanted[i].timestamp_ms);
    EXPECT_TRUE(same_bits(got[i].value, wanted[i].value)) << got[i].value << " and " << wanted[i].value;
  }
}

void expect_same_run(Store& got_store, Store& wanted_store, const std::string& run_id) {
  SCOPED_TRACE(run_id);
  const FullRun got = got_store.get_full_run(run_id);
  const FullRun wanted = wanted_store.get_full_run(run_id);
  EXPECT_EQ(got.run.experiment_name, wanted.run.experiment_name);
  EXPECT_EQ(got.run.parent_run_id, wanted.run.parent_run_id);
  EXPECT_EQ(got.run.display_name, wanted.run.display_name);
  EXPECT_EQ(got.run.user_id, wanted.run.user_id);
  EXPECT_EQ(got.run.artifact_uri, wanted.run.artifact_uri);
  EXPECT_EQ(got.run.compute, wanted.run.compute);
  EXPECT_EQ(got.run.state, wanted.run.state);
  EXPECT_EQ(got.run.outcome, wanted.run.outcome);
  EXPECT_EQ(got.run.lifecycle, wanted.run.lifecycle);
  EXPECT_EQ(got.run.created_ms, wanted.run.created_ms);
  EXPECT_EQ(got.run.started_ms, wanted.run.started_ms);
  EXPECT_EQ(got.run.ended_ms, wanted.run.ended_ms);
  EXPECT_EQ(got.run.epoch, wanted.run.epoch);
  EXPECT_EQ(got.run.reported, wanted.run.reported);
  EXPECT_EQ(got.params, wanted.params);
  EXPECT_EQ(got.tags, wanted.tags);
  EXPECT_EQ(got.datasets, wanted.datasets);
  EXPECT_EQ(got.models_in, wanted.models_in);
  EXPECT_EQ(got.models_out, wanted.models_out);
  expect_same(got.metrics, wanted.metrics);
  for (const Metric& each : wanted.metrics) {
    expect_same(got_store.metric_history(run_id, each.key), wanted_store.metric_history(run_id, each.key));
  }
  const auto got_states = got_store.state_history(run_id);
  const auto wanted_states = wanted_store.state_history(run_id);
  ASSERT_EQ(got_states.size(), wanted_states.size());
  for (std::size_t i = 0; i < got_states.size(); ++i) {
    EXPECT_EQ(got_states[i].state, wanted_states[i].state);
    EXPECT_EQ(got_states[i].timestamp_ms, wanted_states[i].timestamp_ms);
    EXPECT_EQ(got_states[i].reason, wanted_states[i].reason);
  }
}

void expect_same_version(const ModelVersion& got, const ModelVersion& wanted) {
  EXPECT_EQ(got.created_ms, wanted.created_ms);
  EXPECT_EQ(got.updated_ms, wanted.updated_ms);
  EXPECT_EQ(got.user_id, wanted.user_id);
  EXPECT_EQ(got.stage, wanted.stage);
  EXPECT_EQ(got.description, wanted.description);
  EXPECT_EQ(got.source, wanted.source);
  EXPECT_EQ(got.storage_location, wanted.storage_location);
  EXPECT_EQ(got.run_id, wanted.run_id);
  EXPECT_EQ(got.model_id, wanted.model_id);
  EXPECT_EQ(got.run_link, wanted.run_link);
  EXPECT_EQ(got.tags, wanted.tags);
  EXPECT_EQ(got.aliases, wanted.aliases);
}

void expect_same_registry(Store& got, Store& wanted) {
  for (const std::string name : {"net", "asked"}) {
    const RegisteredModel got_model = got.get_registered_model(name);
    const RegisteredModel wanted_model = wanted.get_registered_model(name);
    EXPECT_EQ(got_model.description, wanted_model.description);
    EXPECT_EQ(got_model.created_ms, wanted_model.created_ms);
    EXPECT_EQ(got_model.updated_ms, wanted_model.updated_ms);
    EXPECT_EQ(got_model.tags, wanted_model.tags);
    EXPECT_EQ(got_model.aliases, wanted_model.aliases);
    EXPECT_EQ(got.newest_version(name), wanted.newest_version(name));
  }
  for (const int version : {1, 2, 3}) {
    expect_same_version(got.get_model_version("net", version), wanted.get_model_version("net", version));
  }
  EXPECT_THROW(got.get_model_version("net", 4), Error);
}

void expect_same_logged_model(const LoggedModel& got, const LoggedModel& wanted) {
  EXPECT_EQ(got.name, wanted.name);
  EXPECT_EQ(got.artifact_uri, wanted.artifact_uri);
  EXPECT_EQ(got.model_type, wanted.model_type);
  EXPECT_EQ(got.source_run_id, wanted.source_run_id);
  EXPECT_EQ(got.status, wanted.status);
  EXPECT_EQ(got.status_message, wanted.status_message);
  EXPECT_EQ(got.created_ms, wanted.created_ms);
  EXPECT_EQ(got.updated_ms, wanted.updated_ms);
  EXPECT_EQ(got.params, wanted.params);
  EXPECT_EQ(got.tags, wanted.tags);
  ASSERT_EQ(got.metrics.size(), wanted.metrics.size());
  for (std::size_t i = 0; i < got.metrics.size(); ++i) {
    expect_same({got.metrics[i].metric}, {wanted.metrics[i].metric});
    EXPECT_EQ(got.metrics[i].run_id, wanted.metrics[i].run_id);
    EXPECT_EQ(got.metrics[i].dataset_name, wanted.metrics[i].dataset_name);
    EXPECT_EQ(got.metrics[i].dataset_digest, wanted.metrics[i].dataset_digest);
  }
}
}  // namespace

void fill(Store& store) {
  const std::string ours = store.create_experiment("größe", "s3://place", {{"owner", "ada"}}).experiment_id;
  const std::string gone = store.create_experiment("gone", "", {}).experiment_id;
  fill_owned_run(store, ours);
  fill_reported_runs(store, ours);
  fill_models(store, ours);
  NewRun run = new_run("in_gone", gone);
  run.reported_since_ms = 5;
  store.create_run(run);
  store.set_experiment_lifecycle(gone, Lifecycle::archived);
}

void expect_same_history(Store& got, Store& wanted) {
  for (const Experiment& each : wanted.list_experiments(View::all)) {
    SCOPED_TRACE(each.name);
    const Experiment here = got.get_experiment_by_name(each.name);
    EXPECT_EQ(here.artifact_location, each.artifact_location);
    EXPECT_EQ(here.lifecycle, each.lifecycle);
    EXPECT_TRUE(here.created_ms == each.created_ms || each.experiment_id == "0");  // 0 is there from the beginning
    EXPECT_EQ(here.tags, each.tags);
  }
  RunQuery query;
  query.view = View::all;
  const auto ids = [&](Store& store) {
    std::vector<std::string> all;
    for (const Run& each : store.list_runs(query).runs) all.push_back(each.run_id);
    return all;
  };
  EXPECT_EQ(ids(got), ids(wanted));
  for (const std::string& each : ids(wanted)) expect_same_run(got, wanted, each);
  expect_same_registry(got, wanted);
  expect_same_logged_model(got.get_logged_model("m-0123"), wanted.get_logged_model("m-0123"));
}

}  // namespace lockstep::history::transfer
