#include "history/server/mlflow/graphql_types.hpp"

#include <map>

namespace lockstep::history::server::mlflow {

using nlohmann::json;

namespace {
enum class Kind { text, long_text, number, truth, object };

struct FieldType {
  Kind kind = Kind::text;
  const char* object = "";  // the type's name
  bool is_list = false;
};
constexpr FieldType text;
constexpr FieldType texts{Kind::text, "", true};
constexpr FieldType long_text{Kind::long_text};
constexpr FieldType number{Kind::number};
constexpr FieldType truth{Kind::truth};
constexpr FieldType one(const char* object) { return {Kind::object, object}; }
constexpr FieldType many(const char* object) { return {Kind::object, object, true}; }

using Type = std::map<std::string, FieldType, std::less<>>;

const Type key_and_value{{"key", text}, {"value", text}};

const std::map<std::string, Type, std::less<>>& types() {
  static const std::map<std::string, Type, std::less<>> all{
      {"ApiError", {{"code", text}, {"message", text}, {"helpUrl", text}}},
      {"MlflowGetExperimentResponse", {{"experiment", one("MlflowExperiment")}, {"apiError", one("ApiError")}}},
      {"MlflowExperiment",
       {{"experimentId", text},
        {"name", text},
        {"artifactLocation", text},
        {"lifecycleStage", text},
        {"lastUpdateTime", long_text},
        {"creationTime", long_text},
        {"tags", many("MlflowExperimentTag")},
        {"effectiveTraceArchivalRetention", text},
        {"workspace", text}}},
      {"MlflowExperimentTag", key_and_value},
      {"MlflowGetRunResponse", {{"run", one("MlflowRunExtension")}, {"apiError", one("ApiError")}}},
      {"MlflowSearchRunsResponse",
       {{"runs", many("MlflowRunExtension")}, {"nextPageToken", text}, {"apiError", one("ApiError")}}},
      {"MlflowRunExtension",
       {{"info", one("MlflowRunInfo")},
        {"data", one("MlflowRunData")},
        {"inputs", one("MlflowRunInputs")},
        {"outputs", one("MlflowRunOutputs")},
        {"experiment", one("MlflowExperiment")},
        {"modelVersions", many("MlflowModelVersion")}}},
      {"MlflowRunInfo",
       {{"runId", text},
        {"runUuid", text},
        {"runName", text},
        {"experimentId", text},
        {"userId", text},
        {"status", text},
        {"startTime", long_text},
        {"endTime", long_text},
        {"artifactUri", text},
        {"lifecycleStage", text}}},
      {"MlflowRunData",
       {{"metrics", many("MlflowMetricExtension")}, {"params", many("MlflowParam")}, {"tags", many("MlflowRunTag")}}},
      {"MlflowMetricExtension",
       {{"key", text},
        {"value", number},
        {"timestamp", long_text},
        {"step", long_text},
        {"datasetName", text},
        {"datasetDigest", text},
        {"modelId", text},
        {"runId", text}}},
      {"MlflowParam", key_and_value},
      {"MlflowRunTag", key_and_value},
      {"MlflowRunInputs", {{"datasetInputs", many("MlflowDatasetInput")}, {"modelInputs", many("MlflowModelInput")}}},
      {"MlflowDatasetInput", {{"tags", many("MlflowInputTag")}, {"dataset", one("MlflowDataset")}}},
      {"MlflowInputTag", key_and_value},
      {"MlflowDataset",
       {{"name", text}, {"digest", text}, {"sourceType", text}, {"source", text}, {"schema", text}, {"profile", text}}},
      {"MlflowModelInput", {{"modelId", text}}},
      {"MlflowRunOutputs", {{"modelOutputs", many("MlflowModelOutput")}}},
      {"MlflowModelOutput", {{"modelId", text}, {"step", long_text}}},
      {"MlflowSearchModelVersionsResponse",
       {{"modelVersions", many("MlflowModelVersion")}, {"nextPageToken", text}, {"apiError", one("ApiError")}}},
      {"MlflowModelVersion",
       {{"name", text},
        {"version", text},
        {"creationTimestamp", long_text},
        {"lastUpdatedTimestamp", long_text},
        {"userId", text},
        {"currentStage", text},
        {"description", text},
        {"source", text},
        {"runId", text},
        {"status", text},
        {"statusMessage", text},
        {"tags", many("MlflowModelVersionTag")},
        {"runLink", text},
        {"aliases", texts},
        {"modelId", text}}},
      {"MlflowModelVersionTag", key_and_value},
      {"MlflowGetMetricHistoryBulkIntervalResponse",
       {{"metrics", many("MlflowMetricWithRunId")}, {"apiError", one("ApiError")}}},
      {"MlflowMetricWithRunId",
       {{"key", text}, {"value", number}, {"timestamp", long_text}, {"step", long_text}, {"runId", text}}},
      {"MlflowListArtifactsResponse",
       {{"rootUri", text}, {"files", many("MlflowFileInfo")}, {"nextPageToken", text}, {"apiError", one("ApiError")}}},
      {"MlflowFileInfo", {{"path", text}, {"isDir", truth}, {"fileSize", long_text}}},
      {"MlflowSearchDatasetsResponse",
       {{"datasetSummaries", many("MlflowDatasetSummary")}, {"apiError", one("ApiError")}}},
      {"MlflowDatasetSummary", {{"experimentId", text}, {"name", text}, {"digest", text}, {"context", text}}},
  };
  return all;
}

json scalar(Kind kind, const json& value) {
  switch (kind) {
    case Kind::long_text:
      if (value.is_null()) return "0";
      return value.is_string() ? value : json(value.dump());
    case Kind::number:
      if (value.is_null()) return 0.0;
      return value.is_number() ? value : json();  // "NaN", "Infinity"
    case Kind::truth:
      return value.is_boolean() && value.get<bool>();
    default:
      return value.is_null() ? json("") : value;
  }
}

json value_of(const FieldType& type, const json& value, const GraphqlField& field, const GraphqlExtension& extension) {
  if (type.kind != Kind::object) return scalar(type.kind, value);
  if (std::string_view(type.object) == "ApiError") return {};  // an error is one of the whole answer
  return graphql_object(type.object, value, field.fields, extension);
}

json field_of(const std::string& type_name, const json& value, const GraphqlField& field,
              const GraphqlExtension& extension) {
  const Type& type = types().at(type_name);
  const auto found = type.find(field.name);
  if (found == type.end()) throw GraphqlMistake("Cannot query field '{}' on type '{}'.", field.name, type_name);
  const FieldType& of = found->second;
  if ((of.kind == Kind::object) != !field.fields.empty()) {
    throw GraphqlMistake("Field '{}' of type '{}' must {}have a selection of subfields.", field.name, type_name,
                         of.kind == Kind::object ? "" : "not ");
  }
  json own = extension(type_name, field.name, value);
  if (own.is_null() && value.is_object()) {
    const auto member = value.find(snake_case(field.name));
    if (member != value.end()) own = *member;
  }
  if (!of.is_list) return value_of(of, own, field, extension);
  json all = json::array();
  if (own.is_array()) {
    for (const json& each : own) all.push_back(value_of(of, each, field, extension));
  }
  return all;
}
}  // namespace

json graphql_object(const std::string& type, const json& value, const std::vector<GraphqlField>& fields,
                    const GraphqlExtension& extension) {
  json object = json::object();
  for (const GraphqlField& field : fields) {
    object[field.alias] = field.name == "__typename" ? json(type) : field_of(type, value, field, extension);
  }
  return object;
}

std::string snake_case(std::string_view camel_case) {
  std::string made;
  for (const char c : camel_case) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    if (is_upper) made += '_';
    made += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return made;
}

}  // namespace lockstep::history::server::mlflow
