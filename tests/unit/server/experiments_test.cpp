#include <gmock/gmock.h>

#include "history/server/mlflow/routes.hpp"
#include "tests/unit/server/api_rig.hpp"

namespace lockstep::history::server::mlflow {
namespace {

using nlohmann::json;

class ExperimentsApi : public ApiRig {
 protected:
  void SetUp() override { serve(routes(workspace())); }

  std::string create(const std::string& name) {
    return post("experiments/create", {{"name", name}}).json.at("experiment_id");
  }
  json experiment(const std::string& id) {
    return get("experiments/get", {{"experiment_id", id}}).json.at("experiment");
  }
};

TEST_F(ExperimentsApi, AreMadeFoundAndTagged) {
  const std::string id = create("mnist");
  EXPECT_EQ(post("experiments/set-experiment-tag", {{"experiment_id", id}, {"key", "team"}, {"value", "a"}}).status,
            200);
  const json made = get("experiments/get-by-name", {{"experiment_name", "mnist"}}).json["experiment"];
  EXPECT_EQ(made, experiment(id));
  EXPECT_EQ(made["experiment_id"], id);
  EXPECT_EQ(made["artifact_location"], "mlflow-artifacts:/" + id);
  EXPECT_EQ(made["lifecycle_stage"], "active");
  EXPECT_EQ(made["tags"], (json{{{"key", "team"}, {"value", "a"}}}));
  post("experiments/delete-experiment-tag", {{"experiment_id", id}, {"key", "team"}});
  EXPECT_FALSE(experiment(id).contains("tags"));
}

TEST_F(ExperimentsApi, HaveNamesOfTheirOwn) {
  create("mnist");
  const Answer again = post("experiments/create", {{"name", "mnist"}});
  EXPECT_EQ(again.status, 400);
  EXPECT_EQ(again.error_code(), "RESOURCE_ALREADY_EXISTS");
}

TEST_F(ExperimentsApi, ThatAreDeletedTakeNoRunsUntilTheyAreRestored) {
  const std::string id = create("old");
  post("experiments/delete", {{"experiment_id", id}});
  EXPECT_EQ(experiment(id)["lifecycle_stage"], "deleted");
  EXPECT_EQ(post("runs/create", {{"experiment_id", id}}).error_code(), "INVALID_PARAMETER_VALUE");
  post("experiments/restore", {{"experiment_id", id}});
  EXPECT_EQ(post("runs/create", {{"experiment_id", id}}).status, 200);
}

TEST_F(ExperimentsApi, AreRenamed) {
  const std::string id = create("old");
  EXPECT_EQ(post("experiments/update", {{"experiment_id", id}, {"new_name", "new"}}).status, 200);
  EXPECT_EQ(experiment(id)["name"], "new");
}

TEST_F(ExperimentsApi, ThatAreNotThereAreNamed) {
  const Answer unknown = get("experiments/get", {{"experiment_id", "77"}});
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.message(), "No Experiment with id=77 exists");
  EXPECT_EQ(get("experiments/get", {{"experiment_id", "x"}}).error_code(), "INVALID_PARAMETER_VALUE");
  EXPECT_EQ(get("experiments/get-by-name", {{"experiment_name", "no"}}).message(),
            "Could not find experiment with name 'no'");
}

TEST_F(ExperimentsApi, AreFoundByNameAndLifecycle) {
  create("a1");
  create("a2");
  post("experiments/delete", {{"experiment_id", create("a3")}});
  const auto names = [&](const json& request) {
    std::vector<std::string> all;
    const json found = post("experiments/search", request).json.value("experiments", json::array());
    for (const json& each : found) all.push_back(each["name"]);
    return all;
  };
  const json filter = {{"filter", "name LIKE 'a%'"}, {"order_by", {"name ASC"}}};
  EXPECT_EQ(names(filter), (std::vector<std::string>{"a1", "a2"}));
  json all = filter;
  all["view_type"] = "ALL";
  EXPECT_EQ(names(all), (std::vector<std::string>{"a1", "a2", "a3"}));
  all["view_type"] = 2;
  EXPECT_EQ(names(all), (std::vector<std::string>{"a3"}));
  EXPECT_EQ(post("experiments/search", {{"view_type", "SOME"}}).error_code(), "INVALID_PARAMETER_VALUE");
}

}  // namespace
}  // namespace lockstep::history::server::mlflow
