// model-versions/... as MLflow's server answers it, and which sources it takes.
#include <gmock/gmock.h>

#include "history/server/mlflow/routes.hpp"
#include "tests/unit/server/api_rig.hpp"

namespace lockstep::history::server {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

struct VersionsApi : ApiRig {
  VersionsApi() {
    serve(mlflow::registry_routes());
    post("registered-models/create", {{"name", "a"}});
  }

  Answer create(const std::string& source, Json more = Json::object()) {
    more["name"] = "a";
    more["source"] = source;
    return post("model-versions/create", more);
  }
  std::string download_uri(int version) {
    return get("model-versions/get-download-uri", {{"name", "a"}, {"version", std::to_string(version)}})
        .json["artifact_uri"];
  }
  void make_run(const std::string& run_id, const std::string& artifact_uri) {
    NewRun run;
    run.run_id = run_id;
    run.experiment_id = "0";
    run.artifact_uri = artifact_uri;
    store().create_run(run);
  }
};

std::string not_of(const std::string& parameter, const std::string& source) {
  return "Invalid model version source: '" + source + "'. The " + parameter +
         " request parameter must identify the resource that contains the source.";
}

TEST_F(VersionsApi, CreateAnswersWithTheVersion) {
  const Answer answer = create(
      "s3://bucket/y",
      {{"description", "d"}, {"run_id", "nope"}, {"run_link", "http://l"}, {"tags", {{{"key", "k"}, {"value", "v"}}}}});
  Json version = answer.json["model_version"];
  EXPECT_EQ(version["creation_timestamp"], version["last_updated_timestamp"]);
  version.erase("creation_timestamp");
  version.erase("last_updated_timestamp");
  EXPECT_EQ(version, Json({{"name", "a"},
                           {"version", "1"},
                           {"current_stage", "None"},
                           {"description", "d"},
                           {"source", "s3://bucket/y"},
                           {"run_id", "nope"},
                           {"status", "READY"},
                           {"tags", {{{"key", "k"}, {"value", "v"}}}},
                           {"run_link", "http://l"}}));
  EXPECT_EQ(get("model-versions/get", {{"name", "a"}, {"version", "1"}}).json, answer.json);
}

TEST_F(VersionsApi, AVersionIsTextThatIsANumber) {
  create("s3://bucket/x");
  EXPECT_EQ(get("model-versions/get", {{"name", "a"}, {"version", "01"}}).status, 200);
  for (const std::string word : {"x", "1.0", "1x", "-", "+"}) {
    const Answer answer = get("model-versions/get", {{"name", "a"}, {"version", word}});
    EXPECT_EQ(answer.error_code(), "INVALID_PARAMETER_VALUE");
    EXPECT_EQ(answer.message(), "Parameter 'version' must be an integer, got '" + word + "'.");
  }
  for (const std::string number : {"0", "-1", "2", "2147483648", "99999999999999999999"}) {
    const Answer answer = get("model-versions/get", {{"name", "a"}, {"version", number}});
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.message(), "Model Version (name=a, version=" + number + ") not found");
  }
  EXPECT_EQ(send(Verb::patch, "model-versions/update", {{"name", "a"}, {"version", 1}}).message(),
            "Invalid value 1 for parameter 'version' supplied:  Hint: Value was of type 'int'. See the API docs for "
            "more information about request parameters.");
  EXPECT_EQ(get("model-versions/get-download-uri", {{"name", "a"}}).message(),
            "Parameter 'version' must be an integer, got ''.");
}

TEST_F(VersionsApi, AnUpdateWithoutADescriptionTakesItAway) {
  create("s3://bucket/x", {{"description", "d"}});
  EXPECT_EQ(send(Verb::patch, "model-versions/update", {{"name", "a"}, {"version", "1"}, {"description", "new"}})
                .json["model_version"]["description"],
            "new");
  EXPECT_EQ(send(Verb::patch, "model-versions/update", {{"name", "a"}, {"version", "1"}})
                .json["model_version"]
                .value("description", ""),
            "");
}

TEST_F(VersionsApi, AStageIsMovedTo) {
  create("s3://bucket/x");
  create("s3://bucket/x");
  const auto move = [this](const std::string& version, const std::string& stage, Json archive) {
    return post("model-versions/transition-stage",
                {{"name", "a"}, {"version", version}, {"stage", stage}, {"archive_existing_versions", archive}});
  };
  EXPECT_EQ(move("1", "production", false).json["model_version"]["current_stage"], "Production");
  EXPECT_EQ(move("2", "PRODUCTION", true).json["model_version"]["current_stage"], "Production");
  EXPECT_EQ(get("model-versions/get", {{"name", "a"}, {"version", "1"}}).json["model_version"]["current_stage"],
            "Archived");
  const Answer inactive = move("2", "Archived", true);
  EXPECT_EQ(inactive.status, 500);  // as MLflow has it
  EXPECT_EQ(inactive.error_code(), "INTERNAL_ERROR");
  EXPECT_EQ(
      inactive.message(),
      "Model version transition cannot archive existing model versions because 'Archived' is not an Active stage. "
      "Valid stages are ['Staging', 'Production']");
  EXPECT_EQ(move("2", "foo", true).error_code(), "INVALID_PARAMETER_VALUE");
  EXPECT_EQ(move("2", "staging", "yes").error_code(), "INVALID_PARAMETER_VALUE");
}

TEST_F(VersionsApi, ASearchGivesPages) {
  for (int i = 0; i < 3; ++i) create("s3://bucket/x", {{"run_id", "r"}});
  const Answer first =
      get("model-versions/search",
          {{"filter", "name = 'a' AND run_id IN ('r')"}, {"order_by", "version_number ASC"}, {"max_results", "2"}});
  EXPECT_EQ(first.json["model_versions"].size(), 2U);
  EXPECT_EQ(first.json["model_versions"][0]["version"], "1");
  const Answer second = get("model-versions/search", {{"filter", "name = 'a' AND run_id IN ('r')"},
                                                      {"order_by", "version_number ASC"},
                                                      {"max_results", "2"},
                                                      {"page_token", first.json["next_page_token"]}});
  EXPECT_EQ(second.json["model_versions"].size(), 1U);
  EXPECT_EQ(second.json["model_versions"][0]["version"], "3");
  EXPECT_FALSE(second.json.contains("next_page_token"));
  EXPECT_EQ(get("model-versions/search", {{"filter", "run_id = 'other'"}}).reply.body, "{}");
}

TEST_F(VersionsApi, APathOfThisMachineMustBeOfTheRun) {
  const std::string artifacts = (workspace().store_file().parent_path() / "elsewhere").string();
  make_run("r", artifacts);
  EXPECT_EQ(create("/tmp/x").message(),
            "Invalid model version source: '/tmp/x'. To use a local path as a model version source, the run_id request "
            "parameter has to be specified and the local path has to be contained within the artifact directory of the "
            "run specified by the run_id.");
  EXPECT_EQ(create("/tmp/x", {{"run_id", "nope"}}).message(), not_of("run_id", "/tmp/x"));
  for (const std::string& source : {std::string("/tmp/x"), artifacts + "/../x", artifacts + "2",
                                    std::string("file:///tmp"), artifacts + "/%2e%2e/x"}) {
    EXPECT_EQ(create(source, {{"run_id", "r"}}).status, 400) << source;
  }
  for (const std::string& source : {artifacts, artifacts + "/model", "file://" + artifacts + "/model"}) {
    EXPECT_EQ(create(source, {{"run_id", "r"}}).status, 200) << source;
  }
}

TEST_F(VersionsApi, ALinkDoesNotLeadOutOfTheRun) {
  const fs::path artifacts = workspace().store_file().parent_path() / "elsewhere";
  fs::create_directories(artifacts);
  fs::create_directory_symlink("/tmp", artifacts / "link");
  make_run("r", artifacts.string());
  EXPECT_EQ(create((artifacts / "link" / "x").string(), {{"run_id", "r"}}).status, 400);
}

TEST_F(VersionsApi, AnArtifactOfThisServerMustBeOfTheRun) {
  make_run("r", "mlflow-artifacts:/0/r/artifacts");
  EXPECT_EQ(create("mlflow-artifacts:/0/r/artifacts/model", {{"run_id", "r"}}).status, 200);
  for (const std::string source : {"mlflow-artifacts:/0/other/artifacts/model", "mlflow-artifacts:/0/r/artifacts2",
                                   "mlflow-artifacts:/0/r", "mlflow-artifacts:/0/%72x/artifacts"}) {
    EXPECT_EQ(create(source, {{"run_id", "r"}}).message(), not_of("run_id", source));
  }
  EXPECT_EQ(create("mlflow-artifacts:/0/r/artifacts/model").message(),
            not_of("run_id", "mlflow-artifacts:/0/r/artifacts/model"));
  EXPECT_EQ(create("mlflow-artifacts:/0/x/artifacts", {{"run_id", "nope"}}).message(),
            not_of("run_id", "mlflow-artifacts:/0/x/artifacts"));
}

TEST_F(VersionsApi, ARunsUriMustBeOfTheRun) {
  EXPECT_EQ(create("runs:/nope/model").message(), not_of("run_id", "runs:/nope/model"));
  EXPECT_EQ(create("runs:/nope/model", {{"run_id", "other"}}).message(), not_of("run_id", "runs:/nope/model"));
  EXPECT_EQ(create("runs:/nope/model", {{"run_id", "nope"}}).status, 200);
  EXPECT_EQ(download_uri(1), "runs:/nope/model");
}

TEST_F(VersionsApi, PathsThatGoUpwardsAreRefused) {
  for (const std::string source :
       {"s3://bucket/../x", "s3://bucket/a/./x", "s3://bucket/%2e%2e/x", "s3://bucket/%252e%252e/x", "s3://bucket",
        "s3:x", "mlflow-artifacts:/../x", "s3://bucket/x%00"}) {
    EXPECT_EQ(create(source).message(),
              "Invalid model version source: '" + source +
                  "'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts "
                  "uri, an absolute path must be provided without relative path references present. Please provide an "
                  "absolute path.");
  }
}

TEST_F(VersionsApi, SchemesWithAHostOfTheClientsChoiceAreRefused) {
  for (const std::string source :
       {"http://somewhere/x", "HTTPS://somewhere/x", "ftp://somewhere/x", "mlflow-artifacts://host/x"}) {
    EXPECT_THAT(create(source).message(), HasSubstr("scheme addresses a host other than the tracking server's"));
  }
}

TEST_F(VersionsApi, AVersionCanBeCopied) {
  create("runs:/r1/model", {{"run_id", "r1"}});
  post("registered-models/alias", {{"name", "a"}, {"alias", "champ"}, {"version", "1"}});
  post("registered-models/create", {{"name", "b"}});
  for (const std::string source : {"models:/a/1", "models:/a@champ", "models:/a/latest", "models:/a/none"}) {
    const Answer copy = post("model-versions/create", {{"name", "b"}, {"source", source}});
    EXPECT_EQ(copy.json["model_version"].value("source", ""), "models:/a/1") << copy.reply.body;
    EXPECT_EQ(copy.json["model_version"].value("run_id", ""), "r1");
  }
  EXPECT_EQ(get("model-versions/get-download-uri", {{"name", "b"}, {"version", "4"}}).json["artifact_uri"],
            "runs:/r1/model");
  EXPECT_EQ(create("models:/a/1", {{"run_id", "r2"}}).message(),
            "Invalid model version source: 'models:/a/1'. The run_id and model_id request parameters must match the "
            "referenced model version.");
}

TEST_F(VersionsApi, WhatCannotBeCopiedIsRefused) {
  EXPECT_EQ(create("models:/a/99").message(), "Model Version (name=a, version=99) not found");
  EXPECT_EQ(create("models:/zz/1").message(), "Registered Model with name=zz not found");
  EXPECT_EQ(create("models:/a/latest").message(), "No versions of model with name 'a' found");
  EXPECT_EQ(create("models://host/a/1").message(),
            "Invalid model version source: 'models://host/a/1'. Registered model sources must use the active model "
            "registry.");
  for (const std::string source : {"models:/", "models:a", "models:/a/1/2", "models:/a/", "models:/a@"}) {
    EXPECT_EQ(create(source).message(), not_of("model_id", source));
  }
}

TEST_F(VersionsApi, PromptsHaveAWordForASource) {
  const Json prompt{{"tags", {{{"key", "mlflow.prompt.is_prompt"}, {"value", "true"}}}}};
  EXPECT_EQ(create("dummy-source", prompt).status, 200);
  EXPECT_EQ(create("/etc/passwd", prompt).message(),
            "Invalid prompt source: '/etc/passwd'. Prompt sources must use an MLflow placeholder.");
  EXPECT_EQ(create("dummy-source").status, 400);
}

}  // namespace
}  // namespace lockstep::history::server
