// models:/ URIs: a logged model by its id, or a version of a registered model.
#pragma once

#include <optional>
#include <string>

#include "history/store/store.hpp"

namespace lockstep::history::server::mlflow {

struct ModelUri {
  std::string model_id;  // models:/m-123; then nothing else is set
  std::string name;
  std::string version;  // models:/name/3
  std::string stage;    // models:/name/Production
  std::string alias;    // models:/name@alias. None of the three: the latest, models:/name/latest
};

// nullopt: another scheme. Throws MlflowError for a models:/ URI that is wrong.
std::optional<ModelUri> model_uri_of(const std::string& text);

// The version that it names, with its aliases. Throws as the store does.
ModelVersion version_at(Store& store, const ModelUri& uri);

}  // namespace lockstep::history::server::mlflow
