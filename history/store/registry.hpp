// The model registry: registered models and their versions, as MLflow has them. Calls throw as Store's do, and
// AlreadyExists for a name that is taken. Everything here is durable when a call returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "history/store/search.hpp"
#include "history/store/values.hpp"

namespace lockstep::history {

struct ModelAlias {
  std::string alias;
  int version = 0;
  bool operator==(const ModelAlias&) const = default;
};

struct ModelVersion {
  std::string name;  // of the registered model
  int version = 0;   // from 1; a number is never used twice
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  std::string user_id;
  std::string stage = "None";  // None, Staging, Production, Archived
  std::string description;
  std::string source;            // where its files are
  std::string storage_location;  // the same, where clients can load it from: what a models:/ source stands for
  std::string run_id;            // that made it; empty: none
  std::string model_id;          // of the logged model it was made from; empty: none
  std::string run_link;
  std::vector<KeyValue> tags;        // by key
  std::vector<std::string> aliases;  // by name; not filled in in pages and in latest_versions
};

struct RegisteredModel {
  std::string name;
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  std::string description;
  std::vector<KeyValue> tags;                 // by key
  std::vector<ModelAlias> aliases;            // by name
  std::vector<ModelVersion> latest_versions;  // the newest of each stage that has one, by version
};

struct NewModelVersion {
  std::string name;
  std::string source;
  std::string storage_location;  // empty: the source
  std::string run_id;
  std::string model_id;
  std::string run_link;
  std::string description;
  std::string user_id;
  std::vector<KeyValue> tags;
};

struct RegisteredModelPage {
  std::vector<RegisteredModel> models;
  std::string next_page_token;  // empty: that was all
};
struct ModelVersionPage {
  std::vector<ModelVersion> versions;
  std::string next_page_token;
};

class Registry {
 public:
  virtual ~Registry() = default;

  virtual RegisteredModel create_registered_model(const std::string& name, const std::string& description,
                                                  const std::vector<KeyValue>& tags) = 0;
  virtual RegisteredModel get_registered_model(const std::string& name) = 0;
  virtual RegisteredModel rename_registered_model(const std::string& name, const std::string& new_name) = 0;
  virtual RegisteredModel describe_registered_model(const std::string& name, const std::string& description) = 0;
  virtual void delete_registered_model(const std::string& name) = 0;  // its versions, too
  virtual void set_registered_model_tag(const std::string& name, const KeyValue& tag) = 0;
  virtual void delete_registered_model_tag(const std::string& name, const std::string& key) = 0;
  virtual void set_model_alias(const std::string& name, const std::string& alias, int version) = 0;
  virtual void delete_model_alias(const std::string& name, const std::string& alias) = 0;
  virtual ModelVersion get_model_version_by_alias(const std::string& name, const std::string& alias) = 0;
  virtual RegisteredModelPage search_registered_models(const Search& search) = 0;

  virtual ModelVersion create_model_version(const NewModelVersion& version) = 0;
  virtual ModelVersion get_model_version(const std::string& name, int version) = 0;
  virtual ModelVersion describe_model_version(const std::string& name, int version, const std::string& description) = 0;
  // With `archive_existing` the other versions of that stage become Archived.
  virtual ModelVersion move_model_version(const std::string& name, int version, const std::string& stage,
                                          bool archive_existing) = 0;
  virtual void delete_model_version(const std::string& name, int version) = 0;
  virtual void set_model_version_tag(const std::string& name, int version, const KeyValue& tag) = 0;
  virtual void delete_model_version_tag(const std::string& name, int version, const std::string& key) = 0;
  virtual ModelVersionPage search_model_versions(const Search& search) = 0;
};

}  // namespace lockstep::history
