#include "history/server/mlflow/model_source.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/model_uri.hpp"
#include "history/server/mlflow/source_rules.hpp"
#include "history/store/registry_rules.hpp"

namespace lockstep::history::server::mlflow {

// A prompt is kept as a registered model, with a word in place of a source.
static bool is_prompt(const std::vector<KeyValue>& tags) {
  const auto says_so = [](const KeyValue& tag) { return tag.key == registry_rules::prompt_tag && tag.value == "true"; };
  return std::any_of(tags.begin(), tags.end(), says_so);
}

static void check_prompt_source(const std::string& source) {
  if (source == "dummy-source" || source == "prompt-template") return;
  throw invalid_parameter("Invalid prompt source: '{}'. Prompt sources must use an MLflow placeholder.", source);
}

// Whether the request names another run or model than the version it is copied from has. What it does not name is
// taken from there.
static void inherit(std::string& id, bool is_given, const std::string& from, const std::string& source) {
  if (is_given && id != from) {
    throw invalid_parameter(
        "Invalid model version source: '{}'. The run_id and model_id request parameters must match the referenced "
        "model version.",
        source);
  }
  id = from;
}

// models:/name/3, models:/name/Production, models:/name@alias: a copy of that version.
static void copy_version(Store& store, NewModelVersion& version, const ModelUri& uri, const SourceOwners& given) {
  if (is_prompt(store.get_registered_model(uri.name).tags)) {
    throw invalid_parameter(
        "Invalid model version source: '{}'. Prompt versions cannot be used as model version sources.", version.source);
  }
  const ModelVersion original = version_at(store, uri);
  inherit(version.run_id, given.run, original.run_id, version.source);
  inherit(version.model_id, given.model, original.model_id, version.source);
  version.source = fmt::format("models:/{}/{}", uri.name, original.version);
  version.storage_location = original.storage_location;
}

static LoggedModel logged_model_at(Store& store, const std::string& model_id, const std::string& source) {
  try {
    return store.get_logged_model(model_id);
  } catch (const Error& error) {
    throw failure("Unable to fetch model from model URI source artifact location '{}'.Error: {}", source, error.what());
  }
}

NewModelVersion with_checked_source(Store& store, NewModelVersion version, const SourceOwners& given) {
  if (is_prompt(version.tags)) {
    check_prompt_source(version.source);
    return version;
  }
  check_host(version.source);
  const std::optional<ModelUri> uri = model_uri_of(version.source);
  if (uri && uri->model_id.empty()) copy_version(store, version, *uri, given);
  if (version.model_id.empty()) {
    check_source_of_run(store, version.source, version.run_id);
    return version;
  }
  check_source_of_model(store, version.source, version.model_id);
  const bool is_source = uri && !uri->model_id.empty();
  const LoggedModel model =
      is_source ? logged_model_at(store, version.model_id, version.source) : store.get_logged_model(version.model_id);
  if (is_source) version.storage_location = model.artifact_uri;
  if (version.run_id.empty()) version.run_id = model.source_run_id;
  return version;
}

// As Python's json.dumps writes it: the tag is compared as text here and there.
static std::string entry(const std::string& name, int version) {
  return fmt::format(R"({{"name": {}, "version": {}}})", nlohmann::json(name).dump(-1, ' ', true), version);
}

void tell_logged_model(Store& store, const ModelVersion& version) {
  static constexpr const char* key = "mlflow.modelVersions";
  const LoggedModel model = store.get_logged_model(version.model_id);
  std::string list;
  for (const auto& tag : model.tags) {
    if (tag.key == key && tag.value.ends_with(']')) list = tag.value.substr(0, tag.value.size() - 1) + ", ";
  }
  if (list.empty()) list = "[";
  store.set_logged_model_tags(version.model_id, {{key, list + entry(version.name, version.version) + "]"}});
}

}  // namespace lockstep::history::server::mlflow
