#include <gmock/gmock.h>

#include <limits>
#include <regex>

#include "history/server/mlflow/routes.hpp"
#include "tests/unit/server/api_rig.hpp"

namespace lockstep::history::server::mlflow {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LoggedModelRoutes : public ApiRig {
 protected:
  LoggedModelRoutes() {
    serve(logged_model_routes());
    serve(artifact_routes(workspace()));
  }
  json create(json body) {
    body.emplace("experiment_id", "0");
    return post("logged-models", body).json["model"];
  }
  std::string id_of_new(const std::string& name) { return create({{"name", name}})["info"]["model_id"]; }
  json model(const std::string& id) { return get("logged-models/" + id).json["model"]; }
  void log(const std::string& id, const Metric& metric, const std::string& dataset, const std::string& digest) {
    std::vector<ModelMetric> metrics(1);
    metrics[0] = {.metric = metric, .run_id = "r", .dataset_name = dataset, .dataset_digest = digest};
    store().log_model_metrics(id, metrics);
  }
  std::vector<std::string> found(json body) {
    body.emplace("experiment_ids", json::array({"0"}));
    std::vector<std::string> names;
    for (const json& each : post("logged-models/search", body).json.value("models", json::array())) {
      names.push_back(each["info"]["name"]);
    }
    return names;
  }
};

TEST_F(LoggedModelRoutes, AreMadeWithWhatMlflowGives) {
  const json made = create({{"name", "m1"},
                            {"source_run_id", "r"},
                            {"params", {{{"key", "lr"}, {"value", "0.1"}}}},
                            {"tags", {{{"key", "t"}, {"value", "v"}}}}});
  const std::string id = made["info"]["model_id"];
  EXPECT_TRUE(std::regex_match(id, std::regex("m-[0-9a-f]{32}")));
  EXPECT_EQ(made["info"]["creation_timestamp_ms"], made["info"]["last_updated_timestamp_ms"]);
  json want = json::parse(R"({"info": {"experiment_id": "0", "name": "m1", "status": "LOGGED_MODEL_PENDING",
      "model_type": "", "source_run_id": "r", "tags": [{"key": "t", "value": "v"}]},
      "data": {"params": [{"key": "lr", "value": "0.1"}]}})");
  want["info"]["model_id"] = id;
  want["info"]["artifact_uri"] = "mlflow-artifacts:/0/models/" + id + "/artifacts";
  for (const char* time : {"creation_timestamp_ms", "last_updated_timestamp_ms"})
    want["info"][time] = made["info"][time];
  EXPECT_EQ(made, want);
  EXPECT_EQ(model(id), want);
}

TEST_F(LoggedModelRoutes, WithoutANameGetOne) {
  const std::string name = create(json::object())["info"]["name"];
  EXPECT_TRUE(std::regex_match(name, std::regex("[a-z]+_[a-z]+_[a-z0-9]{8}"))) << name;
  EXPECT_NE(create({{"name", ""}})["info"]["name"], name);
}

TEST_F(LoggedModelRoutes, LieBelowTheArtifactLocationOfTheirExperiment) {
  const std::string experiment = store().create_experiment("e", "s3://bucket/e/", {}).experiment_id;
  const json info = create({{"experiment_id", experiment}})["info"];
  EXPECT_EQ(info["artifact_uri"], "s3://bucket/e/models/" + info["model_id"].get<std::string>() + "/artifacts");
}

TEST_F(LoggedModelRoutes, WrongRequestsAreRefusedAsByMlflow) {
  const Answer missing = post("logged-models", json::object());
  EXPECT_EQ(missing.error_code(), "INVALID_PARAMETER_VALUE");
  EXPECT_THAT(missing.message(), HasSubstr("Missing value for required parameter 'experiment_id'."));
  EXPECT_EQ(post("logged-models", {{"experiment_id", "77"}}).message(), "No Experiment with id=77 exists");
  EXPECT_EQ(post("logged-models", {{"experiment_id", "77"}}).status, 404);
  EXPECT_EQ(post("logged-models", {{"experiment_id", "x"}}).status, 400);
  EXPECT_EQ(post("logged-models", {{"experiment_id", "0"}, {"name", 5}}).message(),
            "Invalid value 5 for parameter 'name' supplied:  Hint: Value was of type 'int'. See the API docs for more "
            "information about request parameters.");
  EXPECT_EQ(post("logged-models", {{"experiment_id", "0"}, {"name", "a/b"}}).message(),
            "Invalid model name ('a/b') provided. Model name must be a non-empty string and cannot contain the "
            "following characters: ('/', ':', '.', '%', '\"', \"'\")");
  EXPECT_EQ(get("logged-models/m-nope").message(), "Logged model with ID 'm-nope' not found.");
  EXPECT_EQ(get("logged-models/m-nope").status, 404);
}

TEST_F(LoggedModelRoutes, AreFinishedByNameOrNumberOfTheStatus) {
  const std::string id = id_of_new("a");
  const auto finish = [&](const json& body) { return send(Verb::patch, "logged-models/" + id, body); };
  EXPECT_EQ(finish({{"model_id", id}, {"status", "LOGGED_MODEL_READY"}}).json["model"]["info"]["status"],
            "LOGGED_MODEL_READY");
  EXPECT_EQ(finish({{"model_id", id}, {"status", 3}}).json["model"]["info"]["status"], "LOGGED_MODEL_UPLOAD_FAILED");
  EXPECT_EQ(model(id)["info"]["status"], "LOGGED_MODEL_UPLOAD_FAILED");
  EXPECT_THAT(finish({{"status", "LOGGED_MODEL_READY"}}).message(), HasSubstr("parameter 'model_id'"));
  EXPECT_THAT(finish({{"model_id", id}}).message(), HasSubstr("parameter 'status'"));
  EXPECT_EQ(finish({{"model_id", id}, {"status", "BOO"}}).status, 400);
  EXPECT_EQ(finish({{"model_id", "m-other"}, {"status", 2}}).status, 400);
}

TEST_F(LoggedModelRoutes, TagsAndParametersAreKept) {
  const std::string id = id_of_new("a");
  EXPECT_EQ(send(Verb::patch, "logged-models/" + id + "/tags", {{"tags", {{{"key", "x"}, {"value", "1"}}}}}).json,
            json::object());
  EXPECT_EQ(model(id)["info"]["tags"], json::parse(R"([{"key": "x", "value": "1"}])"));
  EXPECT_EQ(send(Verb::del, "logged-models/" + id + "/tags/x", json::object()).json, json::object());
  EXPECT_EQ(send(Verb::del, "logged-models/" + id + "/tags/x", json::object()).message(),
            "No tag with key 'x' found for model with ID '" + id + "'.");
  const json params = {{{"key", "p"}, {"value", "1"}}};
  EXPECT_EQ(post("logged-models/" + id + "/params", {{"model_id", id}, {"params", params}}).json, json::object());
  EXPECT_EQ(model(id)["data"]["params"], params);
  EXPECT_EQ(post("logged-models/" + id + "/params", {{"params", params}}).status, 400);
}

TEST_F(LoggedModelRoutes, DeletedOnesAreGone) {
  const std::string id = id_of_new("a");
  EXPECT_EQ(send(Verb::del, "logged-models/" + id, json::object()).json, json::object());
  EXPECT_EQ(get("logged-models/" + id).status, 404);
  EXPECT_THAT(found(json::object()), IsEmpty());
}

TEST_F(LoggedModelRoutes, MetricsNameModelRunAndDataset) {
  const std::string id = id_of_new("a");
  log(id, {"loss", 2, 9, 3}, "d", "x");
  log(id, {"acc", std::numeric_limits<double>::infinity(), 1, 0}, "", "");
  EXPECT_EQ(
      model(id)["data"]["metrics"],
      json::array(
          {{{"key", "loss"},
            {"value", 2.0},
            {"timestamp", 9},
            {"step", 3},
            {"dataset_name", "d"},
            {"dataset_digest", "x"},
            {"model_id", id},
            {"run_id", "r"}},
           {{"key", "acc"}, {"value", "Infinity"}, {"timestamp", 1}, {"step", 0}, {"model_id", id}, {"run_id", "r"}}}));
}

TEST_F(LoggedModelRoutes, SearchesFilterSortAndPage) {
  for (const char* name : {"a", "b", "c"}) log(id_of_new(name), {"loss", double(name[0]), 1, 0}, "d", "");
  const json by_name = {{{"field_name", "name"}}};
  EXPECT_THAT(found({{"order_by", by_name}}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(found({{"order_by", {{{"field_name", "metrics.loss"}, {"ascending", false}}}}}),
              ElementsAre("c", "b", "a"));
  EXPECT_THAT(found({{"filter", "name != 'b' AND metrics.loss > 97.5"}}), ElementsAre("c"));
  EXPECT_THAT(found({{"datasets", {{{"dataset_name", "other"}}}}}), IsEmpty());
  EXPECT_EQ(found({{"datasets", {{{"dataset_name", "d"}}}}, {"max_results", 0}}).size(), 3U);
  json page = {{"order_by", by_name}, {"max_results", 2}, {"experiment_ids", {"0"}}};
  page["page_token"] = post("logged-models/search", page).json["next_page_token"];
  EXPECT_THAT(found(page), ElementsAre("c"));
  EXPECT_FALSE(post("logged-models/search", page).json.contains("next_page_token"));
}

TEST_F(LoggedModelRoutes, WrongSearchesAreRefusedAsByMlflow) {
  const auto message = [this](json body) {
    body.emplace("experiment_ids", json::array({"0"}));
    const Answer answer = post("logged-models/search", body);
    EXPECT_EQ(answer.status, 400) << body;
    return answer.message();
  };
  EXPECT_THAT(post("logged-models/search", json::object()).message(), HasSubstr("parameter 'experiment_ids'"));
  EXPECT_EQ(post("logged-models/search", {{"experiment_ids", json::array()}}).json, json::object());
  EXPECT_EQ(message({{"datasets", {{{"dataset_digest", "d"}}}}}),
            "`dataset_name` in the `datasets` clause must be specified.");
  EXPECT_THAT(message({{"order_by", {{{"field_name", "boo"}}}}}), HasSubstr("boo"));
  EXPECT_EQ(message({{"order_by", {{{"field_name", "params.x"}}}}}),
            "Invalid order by field name: params.x. Only metrics are supported.");
  message({{"page_token", "zzz"}});
  message({{"filter", "boo ="}});
  message({{"max_results", -1}});
}

TEST_F(LoggedModelRoutes, ArtifactsAreListedAndRead) {
  const std::string id = id_of_new("a");
  const std::string root = "mlflow-artifacts:/0/models/" + id + "/artifacts";
  EXPECT_EQ(get("logged-models/" + id + "/artifacts/directories").json, (json{{"root_uri", root}}));
  fs::create_directories(workspace().model_artifacts(id) / "code");
  write_file_atomically(workspace().model_artifacts(id) / "code" / "x.py", "12");
  EXPECT_EQ(get("logged-models/" + id + "/artifacts/directories", {{"artifact_directory_path", "code"}}).json["files"],
            json::parse(R"([{"path": "code/x.py", "is_dir": false, "file_size": 2}])"));
  const std::string files = "/ajax-api/2.0/mlflow/logged-models/" + id + "/artifacts/files";
  EXPECT_EQ(read_file(get(files, {{"artifact_file_path", "code/x.py"}}).reply.file), "12");
  EXPECT_EQ(get(files, {{"artifact_file_path", "none"}}).status, 404);
  EXPECT_EQ(get(files, {{"artifact_file_path", "../x"}}).message(), "Invalid path");
  EXPECT_EQ(get(files).message(), "Request must include the \"artifact_file_path\" query parameter.");
  EXPECT_EQ(get(files).error_code(), "BAD_REQUEST");
}

}  // namespace
}  // namespace lockstep::history::server::mlflow
