// registered-models/... as MLflow's server answers it.
#include <gmock/gmock.h>

#include "history/server/mlflow/routes.hpp"
#include "tests/unit/server/api_rig.hpp"

namespace lockstep::history::server {
namespace {

using ::testing::ElementsAre;
using Json = nlohmann::json;

struct RegistryApi : ApiRig {
  RegistryApi() { serve(mlflow::registry_routes()); }

  // The reply without its times.
  static Json without_times(Json json) {
    for (auto& [key, value] : json.items()) {
      if (value.is_structured()) value = without_times(value);
    }
    if (json.is_object()) {
      json.erase("creation_timestamp");
      json.erase("last_updated_timestamp");
    }
    return json;
  }
  void make(const std::string& name, int versions = 0) {
    EXPECT_EQ(post("registered-models/create", {{"name", name}}).status, 200);
    for (int i = 0; i < versions; ++i) {
      EXPECT_EQ(post("model-versions/create", {{"name", name}, {"source", "s3://bucket/x"}}).status, 200);
    }
  }
};

// What MLflow says of a version that was made with nothing but a source.
Json plain_version(const std::string& name, int number, const std::string& stage = "None") {
  return {{"name", name},
          {"version", std::to_string(number)},
          {"current_stage", stage},
          {"description", ""},
          {"source", "s3://bucket/x"},
          {"run_id", ""},
          {"status", "READY"},
          {"run_link", ""}};
}

TEST_F(RegistryApi, CreateAnswersWithTheModel) {
  const Answer answer = post("registered-models/create",
                             {{"name", "b"}, {"description", "about b"}, {"tags", {{{"key", "k"}, {"value", "v"}}}}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(without_times(answer.json),
            Json({{"registered_model",
                   {{"name", "b"}, {"description", "about b"}, {"tags", {{{"key", "k"}, {"value", "v"}}}}}}}));
  EXPECT_TRUE(answer.json["registered_model"]["creation_timestamp"].is_number_integer());
}

TEST_F(RegistryApi, WhatIsEmptyIsLeftOut) {
  EXPECT_EQ(without_times(post("registered-models/create", {{"name", "a"}}).json),
            Json({{"registered_model", {{"name", "a"}}}}));
}

TEST_F(RegistryApi, EveryRequestNeedsItsFields) {
  const auto message = [](const std::string& field) {
    return "Missing value for required parameter '" + field +
           "'. See the API docs for more information about request parameters.";
  };
  for (const auto& [verb, path, body, missing] : std::vector<std::tuple<Verb, std::string, Json, std::string>>{
           {Verb::post, "registered-models/create", Json::object(), "name"},
           {Verb::post, "registered-models/create", {{"name", ""}}, "name"},
           {Verb::post, "registered-models/rename", {{"name", "a"}}, "new_name"},
           {Verb::del, "registered-models/delete", Json::object(), "name"},
           {Verb::patch, "registered-models/update", Json::object(), "name"},
           {Verb::post, "registered-models/set-tag", {{"name", "a"}, {"key", ""}}, "key"},
           {Verb::del, "registered-models/delete-tag", {{"name", "a"}}, "key"},
           {Verb::post, "registered-models/alias", {{"name", "a"}, {"version", "1"}}, "alias"},
           {Verb::post, "registered-models/alias", {{"name", "a"}, {"alias", "x"}}, "version"},
           {Verb::del, "registered-models/alias", {{"name", "a"}}, "alias"},
           {Verb::post, "model-versions/create", {{"name", "a"}}, "source"},
           {Verb::post, "model-versions/transition-stage", {{"name", "a"}, {"version", "1"}}, "stage"},
           {Verb::del, "model-versions/delete", {{"name", "a"}}, "version"}}) {
    const Answer answer = send(verb, path, body);
    EXPECT_EQ(answer.status, 400) << path;
    EXPECT_EQ(answer.error_code(), "INVALID_PARAMETER_VALUE");
    EXPECT_EQ(answer.message(), message(missing)) << path;
  }
}

TEST_F(RegistryApi, ATakenNameIsAnErrorOfItsOwn) {
  make("a");
  make("b");
  const Answer answer = post("registered-models/create", {{"name", "a"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.error_code(), "RESOURCE_ALREADY_EXISTS");
  EXPECT_EQ(answer.message(), "Registered Model (name=a) already exists.");
  EXPECT_EQ(post("registered-models/rename", {{"name", "a"}, {"new_name", "b"}}).error_code(),
            "RESOURCE_ALREADY_EXISTS");
}

TEST_F(RegistryApi, AnUnknownModelIsA404) {
  for (const Answer& answer :
       {get("registered-models/get", {{"name", "zz"}}), send(Verb::del, "registered-models/delete", {{"name", "zz"}}),
        send(Verb::patch, "registered-models/update", {{"name", "zz"}}),
        post("registered-models/set-tag", {{"name", "zz"}, {"key", "k"}, {"value", "v"}}),
        post("registered-models/get-latest-versions", {{"name", "zz"}}),
        post("model-versions/create", {{"name", "zz"}, {"source", "s3://bucket/x"}})}) {
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.error_code(), "RESOURCE_DOES_NOT_EXIST");
    EXPECT_EQ(answer.message(), "Registered Model with name=zz not found");
  }
}

TEST_F(RegistryApi, GetShowsVersionsTagsAndAliases) {
  make("a", 2);
  post("registered-models/set-tag", {{"name", "a"}, {"key", "k"}, {"value", "v"}});
  post("registered-models/alias", {{"name", "a"}, {"alias", "champ"}, {"version", "2"}});
  EXPECT_EQ(without_times(get("registered-models/get", {{"name", "a"}}).json),
            Json({{"registered_model",
                   {{"name", "a"},
                    {"latest_versions", {plain_version("a", 2)}},
                    {"tags", {{{"key", "k"}, {"value", "v"}}}},
                    {"aliases", {{{"alias", "champ"}, {"version", "2"}}}}}}}));
}

TEST_F(RegistryApi, ChangesWithoutAResultAnswerWithAnEmptyObject) {
  make("a", 1);
  for (const auto& [verb, path, body] : std::vector<std::tuple<Verb, std::string, Json>>{
           {Verb::post, "registered-models/set-tag", {{"name", "a"}, {"key", "k"}}},
           {Verb::del, "registered-models/delete-tag", {{"name", "a"}, {"key", "never"}}},
           {Verb::post, "registered-models/alias", {{"name", "a"}, {"alias", "x"}, {"version", "1"}}},
           {Verb::del, "registered-models/alias", {{"name", "a"}, {"alias", "x"}}},
           {Verb::post, "model-versions/set-tag", {{"name", "a"}, {"version", "1"}, {"key", "k"}}},
           {Verb::del, "model-versions/delete-tag", {{"name", "a"}, {"version", "1"}, {"key", "k"}}},
           {Verb::del, "model-versions/delete", {{"name", "a"}, {"version", "1"}}},
           {Verb::del, "registered-models/delete", {{"name", "a"}}}}) {
    const Answer answer = send(verb, path, body);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.reply.body, "{}") << path;
  }
}

TEST_F(RegistryApi, LatestVersionsAreAskedForByStage) {
  make("a", 3);
  post("model-versions/transition-stage", {{"name", "a"}, {"version", "1"}, {"stage", "production"}});
  post("registered-models/alias", {{"name", "a"}, {"alias", "champ"}, {"version", "3"}});
  Json champ = plain_version("a", 3);
  champ["aliases"] = {"champ"};
  const Json both{{"model_versions", {plain_version("a", 1, "Production"), champ}}};
  EXPECT_EQ(without_times(get("registered-models/get-latest-versions", {{"name", "a"}}).json), both);
  EXPECT_EQ(without_times(get("registered-models/get-latest-versions",
                              {{"name", "a"}, {"stages", "none"}, {"stages", "PRODUCTION"}})
                              .json),
            both);
  EXPECT_EQ(
      without_times(post("registered-models/get-latest-versions", {{"name", "a"}, {"stages", {"Production"}}}).json),
      Json({{"model_versions", {plain_version("a", 1, "Production")}}}));
  EXPECT_EQ(post("registered-models/get-latest-versions", {{"name", "a"}, {"stages", {"Staging"}}}).reply.body, "{}");
  EXPECT_EQ(post("registered-models/get-latest-versions", {{"name", "a"}, {"stages", {"foo"}}}).message(),
            "Invalid Model Version stage: foo. Value must be one of None, Staging, Production, Archived.");
}

TEST_F(RegistryApi, AnAliasLeadsToItsVersion) {
  make("a", 2);
  post("registered-models/alias", {{"name", "a"}, {"alias", "champ"}, {"version", "1"}});
  Json champ = plain_version("a", 1);
  champ["aliases"] = {"champ"};
  EXPECT_EQ(without_times(get("registered-models/alias", {{"name", "a"}, {"alias", "champ"}}).json),
            Json({{"model_version", champ}}));
  EXPECT_EQ(get("registered-models/alias", {{"name", "a"}, {"alias", "latest"}}).json["model_version"]["version"], "2");
  const Answer unknown = get("registered-models/alias", {{"name", "a"}, {"alias", "none"}});
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(unknown.message(), "Registered model alias none not found.");
  const Answer reserved = post("registered-models/alias", {{"name", "a"}, {"alias", "v12"}, {"version", "1"}});
  EXPECT_EQ(reserved.error_code(), "INVALID_PARAMETER_VALUE");
  EXPECT_EQ(reserved.message(), "Version alias name 'v12' is reserved.");
}

TEST_F(RegistryApi, ASearchFindsModelsByNameAndTag) {
  make("Abc");
  make("x");
  post("registered-models/set-tag", {{"name", "x"}, {"key", "team"}, {"value", "red"}});
  const auto found = [this](const std::string& filter) {
    std::vector<std::string> names;
    const Answer answer = get("registered-models/search", {{"filter", filter}, {"order_by", "name DESC"}});
    for (const auto& each : answer.json.value("registered_models", Json::array())) names.push_back(each["name"]);
    return names;
  };
  EXPECT_THAT(found("name ILIKE 'ab%'"), ElementsAre("Abc"));
  EXPECT_THAT(found("tags.team = 'red'"), ElementsAre("x"));
  EXPECT_THAT(found(""), ElementsAre("x", "Abc"));
  const Answer refused = get("registered-models/search", {{"max_results", "1001"}});
  EXPECT_EQ(refused.error_code(), "INVALID_PARAMETER_VALUE");
}

}  // namespace
}  // namespace lockstep::history::server
