// What each endpoint asks of a client's token. The rules are written down here a second time, by the words of paths.
#include <gtest/gtest.h>

#include <set>

#include "history/server/mlflow/routes.hpp"

namespace lockstep::history::server {
namespace {

bool ends_with_one_of(const std::string& path, const std::set<std::string>& ends) {
  for (const std::string& each : ends) {
    if (path.ends_with(each)) return true;
  }
  return false;
}

Scope expected_scope(const Route& route) {
  const std::string& path = route.pattern;
  if (path.find("/mpu/part/") != std::string::npos) return Scope::none;
  if (route.verb == Verb::get ||
      ends_with_one_of(path, {"/search", "search-datasets", "get-latest-versions", "/graphql"}))
    return Scope::read;
  // MLflow asks for its MANAGE where somebody removes, brings back or renames
  if (ends_with_one_of(path, {"runs/delete", "experiments/delete", "/restore", "experiments/update",
                              "registered-models/rename", "registered-models/delete", "model-versions/delete"})) {
    return Scope::admin;
  }
  if (route.verb == Verb::del && ends_with_one_of(path, {"artifacts/{path...}", "logged-models/{model_id}"}))
    return Scope::admin;
  return Scope::write;
}

TEST(Routes, AskForTheScopeThatTheirWorkNeeds) {
  std::size_t seen[4] = {};
  for (const Route& route : mlflow::routes(Workspace("unused"))) {
    EXPECT_EQ(name_of(route.scope()), name_of(expected_scope(route))) << route.pattern;
    ++seen[static_cast<std::size_t>(route.scope())];
    EXPECT_FALSE(route.access == Access::write && route.scope() < Scope::write) << route.pattern;
  }
  for (const std::size_t count : seen) EXPECT_GT(count, 0U);
}

TEST(Routes, ThatAskForNothingRefuseBeforeTheyTakeABody) {
  for (const Route& route : mlflow::routes(Workspace("unused"))) {
    EXPECT_TRUE(route.scope() != Scope::none || route.before_body) << route.pattern;
  }
}

}  // namespace
}  // namespace lockstep::history::server
