// /graphql, which MLflow's web pages ask beside the REST API. Each field of the root is one call of that API.
#include <array>
#include <memory>

#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/graphql_types.hpp"
#include "history/server/mlflow/routes.hpp"

namespace lockstep::history::server::mlflow {

using nlohmann::json;

namespace {
struct RootField {
  const char* name;
  Verb verb;
  const char* path;  // of the REST API
  const char* type;  // of what comes back
  bool of_query = true;
  bool of_mutation = false;
};
constexpr std::array root_fields{
    RootField{"mlflowGetExperiment", Verb::get, "experiments/get", "MlflowGetExperimentResponse"},
    RootField{"mlflowGetRun", Verb::get, "runs/get", "MlflowGetRunResponse"},
    RootField{"mlflowGetMetricHistoryBulkInterval", Verb::get, "metrics/get-history-bulk-interval",
              "MlflowGetMetricHistoryBulkIntervalResponse"},
    RootField{"mlflowListArtifacts", Verb::get, "artifacts/list", "MlflowListArtifactsResponse"},
    RootField{"mlflowSearchModelVersions", Verb::get, "model-versions/search", "MlflowSearchModelVersionsResponse"},
    RootField{"mlflowSearchRuns", Verb::post, "runs/search", "MlflowSearchRunsResponse", true, true},
    RootField{"mlflowSearchDatasets", Verb::post, "experiments/search-datasets", "MlflowSearchDatasetsResponse", false,
              true},
};

// An input, whose members are in camelCase, as a request to the REST API.
Request request_of(Verb verb, const json& input, const std::string& base_url) {
  Request request;
  request.verb = verb;
  request.base_url = base_url;
  request.content_type = "application/json";
  json body = json::object();
  for (const auto& [key, value] : input.items()) {
    if (!value.is_null()) body[snake_case(key)] = value;
  }
  if (verb == Verb::post) {
    request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    return request;
  }
  const auto text_of = [](const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); };
  for (const auto& [key, value] : body.items()) {
    const json values = value.is_array() ? value : json::array({value});
    for (const json& each : values) request.query.push_back({key, text_of(each)});
  }
  return request;
}

class Answering {
 public:
  Answering(const Routes& rest, Store& store, std::string base_url)
      : rest_(rest), store_(store), base_url_(std::move(base_url)) {}

  json root(const GraphqlField& field, bool is_mutation) {
    for (const RootField& each : root_fields) {
      if (field.name != each.name || !(is_mutation ? each.of_mutation : each.of_query)) continue;
      const auto input = field.arguments.find("input");
      if (input == field.arguments.end() || !input->is_object())
        throw GraphqlMistake("Field '{}' needs an argument 'input', an object.", field.name);
      return graphql_object(each.type, call(each.verb, each.path, *input), field.fields,
                            [this](const auto& type, const auto& name, const json& value) {
                              return type == "MlflowRunExtension" ? of_run(name, value) : json();
                            });
    }
    if (field.name == "__typename") return is_mutation ? "Mutation" : "Query";
    throw GraphqlMistake("Cannot query field '{}' on type '{}'.", field.name, is_mutation ? "Mutation" : "Query");
  }

 private:
  json call(Verb verb, const std::string& path, const json& input) {
    const std::string pattern = "/api/2.0/mlflow/" + path;
    for (const Route& each : rest_) {
      if (each.verb != verb || each.pattern != pattern) continue;
      const Work work = each.handler(request_of(verb, input, base_url_));
      return json::parse(work(store_).body);
    }
    throw failure("no route {}", pattern);
  }

  json of_run(const std::string& name, const json& run) {
    const json& info = run.at("info");
    if (name == "experiment") {
      const json reply = call(Verb::get, "experiments/get", {{"experimentId", info.at("experiment_id")}});
      return reply.at("experiment");
    }
    if (name == "modelVersions") {
      const json reply = call(Verb::get, "model-versions/search",
                              {{"filter", fmt::format("run_id='{}'", info.at("run_id").get<std::string>())}});
      return reply.value("model_versions", json::array());
    }
    return {};
  }

  const Routes& rest_;
  Store& store_;
  std::string base_url_;
};

Reply reply_of_graphql(const json& data, const json& errors) {
  Reply reply;
  const json answer{{"data", data}, {"errors", errors.empty() ? json() : errors}};
  reply.body = answer.dump(-1, ' ', false, json::error_handler_t::replace);
  return reply;
}

json asked_in_address(const Request& request) {
  json body = json::object();
  for (const char* name : {"query", "operationName"}) {
    if (const std::string* value = request.query_value(name)) body[name] = *value;
  }
  if (const std::string* value = request.query_value("variables"))
    body["variables"] = json::parse(*value, nullptr, false);
  return body;
}

Work answer(const std::shared_ptr<const Routes>& rest, const Request& request) {
  const json body = request.verb == Verb::get ? asked_in_address(request) : json::parse(request.body, nullptr, false);
  const auto member = [&](const char* name) { return body.is_object() && body.contains(name) ? body[name] : json(); };
  const json query = member("query");
  const json name = member("operationName");
  const json variables = member("variables");
  if (!query.is_string()) throw invalid_parameter("Missing value for required parameter 'query'.");
  const json given = variables.is_object() ? variables : json::object();
  try {
    GraphqlOperation operation = parse_graphql(query.get<std::string>(), name.is_string() ? name : json(""), given);
    return [rest, operation = std::move(operation), base_url = request.base_url](Store& store) {
      json data = json::object();
      json errors = json::array();
      for (const GraphqlField& field : operation.fields) {
        try {
          data[field.alias] = Answering(*rest, store, base_url).root(field, operation.is_mutation);
        } catch (const GraphqlMistake& mistake) {
          return reply_of_graphql(nullptr, json::array({mistake.what()}));
        } catch (const Error& error) {
          data[field.alias] = nullptr;
          errors.push_back(error.what());
        }
      }
      return reply_of_graphql(data, errors);
    };
  } catch (const Error& error) {
    return [what = std::string(error.what())](Store&) { return reply_of_graphql(nullptr, json::array({what})); };
  }
}
}  // namespace

Routes graphql_routes(Routes rest) {
  const auto shared = std::make_shared<const Routes>(std::move(rest));
  Routes routes;
  for (const Verb verb : {Verb::get, Verb::post}) {
    routes.push_back(
        {.verb = verb, .pattern = "/graphql", .access = Access::read, .handler = [shared](const Request& request) {
           return answer(shared, request);
         }});
  }
  return routes;
}

}  // namespace lockstep::history::server::mlflow
