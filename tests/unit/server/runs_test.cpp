#include <gmock/gmock.h>

#include "history/server/mlflow/routes.hpp"
#include "tests/unit/server/api_rig.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history::server::mlflow {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class RunsApi : public ApiRig {
 protected:
  void SetUp() override { serve(routes(workspace())); }

  std::string new_run_id(const json& request = json::object()) {
    return post("runs/create", request).json.at("run").at("info").at("run_id");
  }
  json run(const std::string& id) { return get("runs/get", {{"run_id", id}}).json.at("run"); }
};

TEST_F(RunsApi, ANewRunIsRunningAndHasWhatItWasGiven) {
  const Answer answer = post("runs/create", {{"experiment_id", "0"},
                                             {"run_name", "first"},
                                             {"user_id", "ada"},
                                             {"start_time", 1234},
                                             {"tags", {{{"key", "note"}, {"value", "x"}}}}});
  ASSERT_EQ(answer.status, 200);
  const json info = answer.json["run"]["info"];
  EXPECT_EQ(info["status"], "RUNNING");
  EXPECT_EQ(info["run_name"], "first");
  EXPECT_EQ(info["user_id"], "ada");
  EXPECT_EQ(info["start_time"], 1234);
  EXPECT_EQ(info["lifecycle_stage"], "active");
  EXPECT_FALSE(info.contains("end_time"));
  EXPECT_EQ(info["run_id"], info["run_uuid"]);
  EXPECT_EQ(info["artifact_uri"], "mlflow-artifacts:/0/" + info["run_id"].get<std::string>() + "/artifacts");
  EXPECT_THAT(answer.json["run"]["data"]["tags"], ::testing::Contains(json{{"key", "note"}, {"value", "x"}}));
}

TEST_F(RunsApi, ARunWithoutANameGetsOne) { EXPECT_NE(run(new_run_id())["info"]["run_name"], ""); }

TEST_F(RunsApi, TwoNamesThatDifferAreRefused) {
  const Answer answer =
      post("runs/create", {{"run_name", "a"}, {"tags", {{{"key", "mlflow.runName"}, {"value", "b"}}}}});
  EXPECT_EQ(answer.error_code(), "INVALID_PARAMETER_VALUE");
  EXPECT_THAT(answer.message(), HasSubstr("run_name='a', mlflow.runName='b'"));
}

TEST_F(RunsApi, AClientEndsItsRunAndTakesItUpAgain) {
  const std::string id = new_run_id();
  const Answer ended = post("runs/update", {{"run_id", id}, {"status", "FINISHED"}, {"end_time", 99}});
  EXPECT_EQ(ended.json["run_info"]["status"], "FINISHED");
  EXPECT_EQ(ended.json["run_info"]["end_time"], 99);
  post("runs/update", {{"run_uuid", id}, {"status", "RUNNING"}});
  EXPECT_EQ(run(id)["info"]["status"], "RUNNING");
  EXPECT_FALSE(run(id)["info"].contains("end_time"));
}

// `mlflow.start_run()` in a job's script, and its end, are about the script: the run is the supervisor's.
TEST_F(RunsApi, TheStateOfASupervisedRunIsItsSupervisors) {
  store().create_run(new_run("owned"));
  const std::int64_t epoch = store().take_ownership("owned");
  store().transition("owned", epoch, RunState::running);
  const Answer answer = post("runs/update", {{"run_id", "owned"}, {"status", "FINISHED"}, {"run_name", "mine"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json["run_info"]["status"], "RUNNING");
  EXPECT_EQ(answer.json["run_info"]["run_name"], "mine");
}

TEST_F(RunsApi, ARunThatIsNotThereIsNamed) {
  for (const Answer& answer :
       {get("runs/get", {{"run_id", "nobody"}}), post("runs/update", {{"run_id", "nobody"}, {"status", "FAILED"}}),
        post("runs/delete", {{"run_id", "nobody"}}),
        post("runs/log-metric", {{"run_id", "nobody"}, {"key", "a"}, {"value", 1}, {"timestamp", 1}})}) {
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.error_code(), "RESOURCE_DOES_NOT_EXIST");
    EXPECT_EQ(answer.message(), "Run with id=nobody not found");
  }
}

TEST_F(RunsApi, WhatIsMissingIsNamedAsMlflowDoes) {
  const Answer answer = post("runs/log-parameter", {{"run_id", new_run_id()}, {"value", "1"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.message(),
            "Missing value for required parameter 'key'. See the API docs for more information about request "
            "parameters.");
}

TEST_F(RunsApi, ValuesOfAnotherTypeAreRefusedAsMlflowDoes) {
  const Answer answer = post("runs/set-tag", {{"run_id", new_run_id()}, {"key", "a"}, {"value", 5}});
  EXPECT_EQ(answer.message(),
            "Invalid value 5 for parameter 'value' supplied:  Hint: Value was of type 'int'. See the API docs for more "
            "information about request parameters.");
}

TEST_F(RunsApi, ABatchIsKeptWhole) {
  const std::string id = new_run_id();
  const Answer answer = post("runs/log-batch", {{"run_id", id},
                                                {"metrics",
                                                 {{{"key", "loss"}, {"value", 0.5}, {"timestamp", 10}, {"step", 1}},
                                                  {{"key", "loss"}, {"value", "NaN"}, {"timestamp", "11"}, {"step", 2}},
                                                  {{"key", "top"}, {"value", "-Infinity"}, {"timestamp", 11}}}},
                                                {"params", {{{"key", "lr"}, {"value", "0.1"}}}},
                                                {"tags", {{{"key", "t"}, {"value", "é"}}}}});
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json, json::object());
  const json data = run(id)["data"];
  EXPECT_EQ(data["params"], (json{{{"key", "lr"}, {"value", "0.1"}}}));
  EXPECT_EQ(data["metrics"], (json{{{"key", "loss"}, {"value", "NaN"}, {"timestamp", 11}, {"step", 2}},
                                   {{"key", "top"}, {"value", "-Infinity"}, {"timestamp", 11}, {"step", 0}}}));
  const json history = get("metrics/get-history", {{"run_id", id}, {"metric_key", "loss"}}).json["metrics"];
  EXPECT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0]["value"], 0.5);
}

TEST_F(RunsApi, ABatchWithAMistakeIsNotKeptAtAll) {
  const std::string id = new_run_id();
  const json good = {{"key", "a"}, {"value", 1.0}, {"timestamp", 1}};
  const std::pair<json, const char*> bad[] = {
      {{{"metrics", {good, {{"key", "b"}, {"timestamp", 1}}}}}, "'metrics[1].value'"},
      {{{"metrics", {good, {{"key", "b"}, {"value", "x"}, {"timestamp", 1}}}}}, "of type 'str'"},
      {{{"metrics", {good, {{"key", "../b"}, {"value", 1.0}, {"timestamp", 1}}}}}, "This name would resolve to '../b'"},
      {{{"metrics", {good, {{"key", "b?"}, {"value", 1.0}, {"timestamp", 1}}}}}, "Names may only contain"},
      {{{"metrics", {good, {{"key", "b"}, {"value", 1.0}, {"timestamp", -1}}}}}, "nonnegative"},
      {{{"metrics", {good}}, {"params", {{{"key", "p"}, {"value", "1"}}, {{"key", "p"}, {"value", "1"}}}}},
       "Duplicate parameter keys have been submitted: ['p']"},
      {{{"metrics", json::array_t(1001, good)}}, "at most 1000 metrics. Got 1001 metrics"},
      {{{"metrics", {good}}, {"params", json::array_t(101, {{"key", "p"}, {"value", "1"}})}}, "at most 100 params"},
  };
  for (auto [request, part] : bad) {
    request["run_id"] = id;
    const Answer answer = post("runs/log-batch", request);
    EXPECT_EQ(answer.error_code(), "INVALID_PARAMETER_VALUE") << part;
    EXPECT_THAT(answer.message(), HasSubstr(part));
  }
  EXPECT_FALSE(run(id)["data"].contains("metrics"));
}

TEST_F(RunsApi, AParameterHasOneValue) {
  const std::string id = new_run_id();
  const auto log = [&](const char* value) {
    return post("runs/log-parameter", {{"run_id", id}, {"key", "lr"}, {"value", value}});
  };
  EXPECT_EQ(log("1").status, 200);
  EXPECT_EQ(log("1").status, 200);
  EXPECT_EQ(log("2").error_code(), "INVALID_PARAMETER_VALUE");
}

TEST_F(RunsApi, ARequestThatIsTooLongIsRefused) {
  const Answer answer = post("runs/log-batch", {{"run_id", new_run_id()}, {"padding", std::string(1'000'001, 'a')}});
  EXPECT_THAT(answer.message(), HasSubstr("must be at most 1000000 bytes"));
}

TEST_F(RunsApi, WhatIsNoJsonIsTakenAsNothingAndWhatIsDeepIsRefused) {
  Request request = request_of(Verb::post, "runs/log-batch");
  request.body = "{\"run_id\": ";
  EXPECT_THAT(send(request).message(), HasSubstr("'run_id'"));
  request.body = std::string(200, '[') + std::string(200, ']');
  EXPECT_THAT(send(request).message(), HasSubstr("nested more than"));
  request.body = "[1]";
  EXPECT_THAT(send(request).message(), HasSubstr("must be a JSON object"));
}

TEST_F(RunsApi, SearchesFindPagesInOrder) {
  for (int i = 0; i < 5; ++i) {
    const std::string id = new_run_id({{"run_name", fmt::format("r{}", i)}});
    post("runs/log-metric", {{"run_id", id}, {"key", "loss"}, {"value", 5 - i}, {"timestamp", 1}});
  }
  json request = {{"experiment_ids", {"0"}},
                  {"filter", "metrics.loss < 5"},
                  {"order_by", {"metrics.loss ASC"}},
                  {"max_results", 3}};
  const json first = post("runs/search", request).json;
  request["page_token"] = first["next_page_token"];
  const json second = post("runs/search", request).json;
  std::vector<std::string> names;
  for (const json& page : {first, second}) {
    for (const json& each : page["runs"]) names.push_back(each["info"]["run_name"]);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"r4", "r3", "r2", "r1"}));
  EXPECT_FALSE(second.contains("next_page_token"));
}

TEST_F(RunsApi, CurvesOfSeveralRunsComeTogether) {
  const std::string ids[] = {new_run_id(), new_run_id()};
  for (const std::string& id : ids) {
    for (int step = 0; step < 10; ++step) {
      post("runs/log-metric", {{"run_id", id}, {"key", "m"}, {"value", step}, {"timestamp", step}, {"step", step}});
    }
  }
  const json all =
      get("metrics/get-history-bulk-interval",
          {{"run_ids", ids[0]}, {"run_ids", ids[1]}, {"metric_key", "m"}, {"start_step", "2"}, {"end_step", "4"}})
          .json["metrics"];
  EXPECT_EQ(all.size(), 6U);
  EXPECT_EQ(all[0]["step"], 2);
  EXPECT_EQ(all[5]["run_id"], ids[1]);
  EXPECT_THAT(get("metrics/get-history-bulk-interval", {{"run_ids", ids[0]}, {"metric_key", "m"}, {"start_step", "2"}})
                  .message(),
              HasSubstr("both must be specified"));
}

TEST_F(RunsApi, DatasetsAndModelsOfARunAreShown) {
  const std::string id = new_run_id();
  const json dataset = {{"name", "d"}, {"digest", "1"}, {"source_type", "local"}, {"source", "{}"}};
  EXPECT_EQ(
      post("runs/log-inputs",
           {{"run_id", id},
            {"datasets", {{{"dataset", dataset}, {"tags", {{{"key", "mlflow.data.context"}, {"value", "eval"}}}}}}}})
          .status,
      200);
  EXPECT_EQ(run(id)["inputs"]["dataset_inputs"][0]["dataset"], dataset);
  const json found = post("experiments/search-datasets", {{"experiment_ids", {"0"}}}).json["dataset_summaries"];
  EXPECT_EQ(found, (json{{{"experiment_id", "0"}, {"name", "d"}, {"digest", "1"}, {"context", "eval"}}}));
  EXPECT_THAT(post("runs/log-inputs", {{"run_id", id}, {"datasets", {{{"dataset", {{"name", "d"}}}}}}}).message(),
              HasSubstr("'digest'"));
}

json batch_through(const std::string& run_id, const std::string& through, int first, int last) {
  json metrics = json::array();
  for (int step = first; step < last; ++step) {
    metrics.push_back({{"key", "loss"}, {"value", 0.5}, {"timestamp", step}, {"step", step}});
  }
  return {
      {"run_id", run_id}, {"metrics", metrics}, {"tags", {{{"key", "lockstep.reported.rank-0"}, {"value", through}}}}};
}

// A sender that got no answer in time sends it again, and both may be taken up in the end.
TEST_F(RunsApi, ABatchThatIsSentTwiceIsTakenOnce) {
  const std::string id = new_run_id();
  const auto points = [&] {
    return get("metrics/get-history", {{"run_id", id}, {"metric_key", "loss"}}).json["metrics"].size();
  };
  for (const char* through : {"abc:3.0", "abc:3.0"})
    EXPECT_EQ(post("runs/log-batch", batch_through(id, through, 0, 3)).status, 200);
  EXPECT_EQ(points(), 3U);
  EXPECT_EQ(post("runs/log-batch", batch_through(id, "abc:3.1", 3, 5)).status, 200);
  EXPECT_EQ(post("runs/log-batch", batch_through(id, "abc:2.0", 0, 2)).status, 200);
  EXPECT_EQ(points(), 5U) << "what is earlier was taken, too";
  EXPECT_EQ(post("runs/log-batch", batch_through(id, "another:1.0", 5, 6)).status, 200);
  EXPECT_EQ(points(), 6U) << "another report counts for itself";
}

}  // namespace
}  // namespace lockstep::history::server::mlflow
