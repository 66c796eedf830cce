#include "history/server/mlflow/model_uri.hpp"

#include <algorithm>

#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/source_rules.hpp"
#include "history/server/mlflow/uri.hpp"
#include "history/server/mlflow/version_number.hpp"
#include "history/store/registry_rules.hpp"

namespace lockstep::history::server::mlflow {

static bool is_blank(const std::string& text) { return text.find_first_not_of(' ') == std::string::npos; }

std::optional<ModelUri> model_uri_of(const std::string& text) {
  const Uri uri = uri_of(text);
  if (uri.scheme != "models") return std::nullopt;
  if (!uri.authority.empty()) {
    throw invalid_parameter(
        "Invalid model version source: '{}'. Registered model sources must use the active model registry.", text);
  }
  const auto begin = uri.path.find_first_not_of('/');
  if (!uri.path.starts_with('/') || begin == std::string::npos) source_is_not_of("model_id", text);
  const std::string path = uri.path.substr(begin);
  const auto slash = path.find('/');
  const std::string first = path.substr(0, slash);
  if (is_blank(first)) source_is_not_of("model_id", text);
  if (slash == std::string::npos) {
    const auto at = path.rfind('@');
    if (at == std::string::npos) return ModelUri{.model_id = path, .name = {}, .version = {}, .stage = {}, .alias = {}};
    ModelUri named{
        .model_id = {}, .name = path.substr(0, at), .version = {}, .stage = {}, .alias = path.substr(at + 1)};
    if (is_blank(named.alias)) source_is_not_of("model_id", text);
    return named;
  }
  const std::string suffix = path.substr(slash + 1);
  if (is_blank(suffix) || suffix.find('/') != std::string::npos) source_is_not_of("model_id", text);
  ModelUri named{.model_id = {}, .name = first, .version = {}, .stage = {}, .alias = {}};
  if (suffix.find_first_not_of("0123456789") == std::string::npos) {
    named.version = suffix;
  } else if (!registry_rules::is_latest(suffix)) {
    named.stage = suffix;
  }
  return named;
}

ModelVersion version_at(Store& store, const ModelUri& uri) {
  if (!uri.version.empty()) return store.get_model_version(uri.name, version_number(uri.name, uri.version));
  if (!uri.alias.empty()) return store.get_model_version_by_alias(uri.name, uri.alias);
  const std::string stage = uri.stage.empty() ? "" : registry_rules::canonical_stage(uri.stage);
  const std::vector<ModelVersion> latest = store.get_registered_model(uri.name).latest_versions;  // by version
  const auto found = std::find_if(latest.rbegin(), latest.rend(),
                                  [&stage](const ModelVersion& each) { return stage.empty() || each.stage == stage; });
  if (found != latest.rend()) return *found;
  throw failure("No versions of model with name '{}'{} found", uri.name,
                stage.empty() ? "" : fmt::format(" and stage '{}'", uri.stage));
}

}  // namespace lockstep::history::server::mlflow
