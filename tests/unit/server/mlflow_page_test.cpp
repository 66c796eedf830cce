// docs/mlflow.md and the routes.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "history/server/mlflow/routes.hpp"

namespace lockstep::history::server {
namespace {

const std::map<Verb, std::string> verbs{
    {Verb::get, "GET"}, {Verb::post, "POST"}, {Verb::put, "PUT"}, {Verb::patch, "PATCH"}, {Verb::del, "DELETE"}};

bool is_verb(const std::string& word) {
  return std::ranges::any_of(verbs, [&word](const auto& each) { return each.second == word; });
}

// The page's rows: `GET experiments/get` below MLflow's prefixes, `GET /artifacts` below the proxy's; in the table of
// whole paths as it stands.
std::set<std::string> endpoints_of_the_page() {
  std::istringstream page(read_file(fs::path(LOCKSTEP_SOURCE_DIR) / "docs/mlflow.md"));
  std::set<std::string> endpoints;
  std::string prefix = "mlflow/";
  bool whole = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("The artifact proxy")) prefix = "mlflow-artifacts";
    if (line.starts_with("Whole paths")) whole = true;
    if (line.starts_with("## What is not served")) break;
    const std::size_t space = line.find(' ', 3);
    if (!line.starts_with("| `") || space == std::string::npos) continue;
    const std::string verb = line.substr(3, space - 3);
    if (!is_verb(verb)) continue;  // of another table
    const std::string path = line.substr(space + 1, line.find('`', space) - space - 1);
    if (whole) {
      endpoints.insert(verb + " " + path);
    } else {
      for (const std::string api : {"/api/2.0/", "/ajax-api/2.0/"}) endpoints.insert(verb + " " + api + prefix + path);
    }
  }
  return endpoints;
}

TEST(MlflowPage, ListsWhatIsServed) {
  std::set<std::string> served{"GET /health", "GET /version", "GET /metrics"};  // the server's own
  for (const Route& route : mlflow::routes(Workspace("unused")))
    served.insert(verbs.at(route.verb) + " " + route.pattern);
  EXPECT_EQ(endpoints_of_the_page(), served);
}

}  // namespace
}  // namespace lockstep::history::server
