// The document, the routes and docs/api.md say the same.
#include <gmock/gmock.h>

#include <cstdlib>
#include <map>
#include <regex>
#include <set>

#include "api/embedded.hpp"
#include "api/job_json.hpp"
#include "tests/unit/api/job_rig.hpp"

namespace lockstep::api {
namespace {

const std::map<Verb, std::string> verbs{
    {Verb::get, "get"}, {Verb::post, "post"}, {Verb::put, "put"}, {Verb::patch, "patch"}, {Verb::del, "delete"}};

Json document() { return Json::parse(openapi_document().front().bytes); }

// "{path...}" of a route is a "{path}" of the document, which has no word for the rest of a path.
std::map<std::string, Route> routes_of_the_program() {
  std::map<std::string, Route> routes;
  for (const Route& each : all_routes(Workspace("unused"))) {
    if (!each.pattern.starts_with("/api/")) continue;
    routes[verbs.at(each.verb) + " " + std::regex_replace(each.pattern, std::regex(R"(\.\.\.)"), "")] = each;
  }
  return routes;
}

template <class Look>
void each_operation(const Look& look) {
  const Json described = document();
  for (const auto& [path, verbs_of_path] : described["paths"].items()) {
    for (const auto& [verb, operation] : verbs_of_path.items()) look(verb, path, operation);
  }
}

TEST(OpenApi, DescribesEveryRouteWithItsScope) {
  std::map<std::string, std::string> described;
  each_operation([&](const std::string& verb, const std::string& path, const Json& operation) {
    described[verb + " " + path] = operation["x-scope"];
  });
  std::map<std::string, std::string> served;
  for (const auto& [name, route] : routes_of_the_program()) served[name] = history::name_of(route.scope());
  EXPECT_EQ(described, served);
}

// A handler reads its query before it does anything: so the parameters that it knows can be asked for one by one.
TEST(OpenApi, ListsTheParametersThatAreTaken) {
  auto routes = routes_of_the_program();
  each_operation([&](const std::string& verb, const std::string& path, const Json& operation) {
    if (verb != "get") return;
    Request request;
    request.path = path;
    request.captured = {"name", "rest"};
    for (const auto& each : operation.value("parameters", Json::array())) {
      if (each["in"] != "query") continue;
      const Json& schema = each["schema"];
      const std::string value = schema["type"] == "integer"   ? std::to_string(schema.value("maximum", 7))
                                : schema["type"] == "boolean" ? "true"
                                : schema.contains("enum")     ? schema["enum"][0].get<std::string>()
                                                              : "text";
      request.query.push_back({each["name"], value});
    }
    const auto handler = routes.at(verb + " " + path).handler;
    EXPECT_NO_THROW(handler(request)) << path;
    request.query.push_back({"no_such_parameter", "1"});
    EXPECT_THROW(handler(request), Error) << path;
  });
}

TEST(OpenApi, NamesNothingThatItDoesNotDefine) {
  const std::string text(openapi_document().front().bytes);
  const Json schemas = document()["components"]["schemas"];
  std::set<std::string> named;
  const std::regex reference(R"re("#/components/schemas/(\w+)")re");
  for (auto each = std::sregex_iterator(text.begin(), text.end(), reference); each != std::sregex_iterator(); ++each) {
    named.insert((*each)[1]);
  }
  std::set<std::string> defined;
  for (const auto& each : schemas.items()) defined.insert(each.key());
  EXPECT_EQ(named, defined);
}

std::string schema_name(const Json& operation) {
  const Json& content = operation["responses"]["200"]["content"];
  const Json& schema = content.begin().value()["schema"];
  if (!schema.contains("$ref")) return content.begin().key();
  const std::string name = schema["$ref"].get<std::string>().substr(std::string("#/components/schemas/").size());
  return fmt::format("[{}](#{})", name, name);
}

std::string type_of(const Json& schema) {
  if (schema.contains("$ref"))
    return schema["$ref"].get<std::string>().substr(std::string("#/components/schemas/").size());
  if (schema.contains("enum")) {
    std::string words;
    for (const auto& each : schema["enum"]) words += (words.empty() ? "" : ", ") + each.get<std::string>();
    return words;
  }
  if (schema.contains("oneOf")) return type_of(schema["oneOf"][0]) + " or " + type_of(schema["oneOf"][1]);
  if (schema["type"].is_array()) return schema["type"][0].get<std::string>() + " or null";
  if (schema["type"] == "array") return "list of " + type_of(schema["items"]);
  if (schema["type"] != "object") return schema["type"];
  if (!schema.contains("properties")) return "object";
  std::string members;
  for (const auto& [name, member] : schema["properties"].items()) members += (members.empty() ? "" : ", ") + name;
  return "{" + members + "}";
}

std::string parameters_page(const Json& operation) {
  std::string text;
  for (const auto& each : operation.value("parameters", Json::array())) {
    if (each["in"] != "query") continue;
    const std::string need = each.value("required", false) ? ", required" : "";
    text += fmt::format("- `{}` ({}{}): {}\n", each["name"].get<std::string>(), type_of(each["schema"]), need,
                        each["description"].get<std::string>());
  }
  return text.empty() ? "" : "\n" + text;
}

std::string api_page() {
  std::string page = R"(# /api/v1

What `lockstep serve` tells of jobs, beside [MLflow's REST API](mlflow.md): made from `api/openapi.json`, which the server
gives at `/api/v1/openapi.json`. Parameters that are not listed are refused. Where the server asks for a token, requests
need `Authorization: Bearer TOKEN`; the word behind each line is the scope that is asked for. Errors are
`{"error_code": ..., "message": ...}` with status 400, 401, 403, 404 or 500.

```
curl http://127.0.0.1:5000/api/v1/jobs?active=true
curl -N http://127.0.0.1:5000/api/v1/jobs/brave_otter_k3x9m2pq/events
curl -X POST http://127.0.0.1:5000/api/v1/jobs/brave_otter_k3x9m2pq/cancel
```
)";
  each_operation([&page](std::string verb, const std::string& path, const Json& operation) {
    std::transform(verb.begin(), verb.end(), verb.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
    page += fmt::format("\n## {} {}\n\n{}. Gives {}; {}.", verb, path, operation["summary"].get<std::string>(),
                        schema_name(operation), operation["x-scope"].get<std::string>());
    if (operation.contains("description")) page += "\n\n" + operation["description"].get<std::string>();
    page += "\n" + parameters_page(operation);
  });
  page += "\n# What is given\n";
  const Json described = document();
  for (const auto& [name, schema] : described["components"]["schemas"].items()) {
    page += fmt::format("\n## {}\n\n| member | | |\n|---|---|---|\n", name);
    for (const auto& [member, of] : schema["properties"].items()) {
      page += fmt::format("| `{}` | {} | {} |\n", member, type_of(of), of.value("description", ""));
    }
  }
  return page;
}

TEST(ApiPage, IsMadeFromTheDocument) {
  const fs::path file = fs::path(LOCKSTEP_SOURCE_DIR) / "docs/api.md";
  if (std::getenv("LOCKSTEP_WRITE_DOCS") != nullptr) write_file_atomically(file, api_page());
  EXPECT_TRUE(read_file(file) == api_page())
      << "write it anew: LOCKSTEP_WRITE_DOCS=1 test_api --gtest_filter=ApiPage.*";
}

TEST(Portal, IsWholeAndSmall) {
  std::size_t bytes = 0;
  std::set<std::string> paths;
  for (const auto& each : portal_files()) {
    bytes += each.bytes.size();
    paths.insert(std::string(each.path));
    EXPECT_EQ(each.bytes, read_file(fs::path(LOCKSTEP_SOURCE_DIR) / "portal" / each.path)) << each.path;
  }
  EXPECT_TRUE(paths.contains("index.html"));
  EXPECT_LT(bytes, 300 * 1000);
}

}  // namespace
}  // namespace lockstep::api
