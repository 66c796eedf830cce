// The command job of Azure ML CLI v2, as typed values. Every default is Azure ML's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/file.hpp"

namespace lockstep::spec {

enum class AssetType { uri_file, uri_folder, mltable, mlflow_model, custom_model, triton_model };
enum class InputMode { ro_mount, download, direct, eval_mount, eval_download };
enum class OutputMode { rw_mount, upload, direct };
enum class DistributionType { none, mpi, pytorch, tensorflow, horovod };  // horovod: not in Azure ML v2

// A literal: the scalar's text as the file has it ("0.1", "true", "https://..."): a plain string is always a literal.
struct Input {
  bool is_literal = true;
  std::string literal;
  AssetType type = AssetType::uri_folder;  // below: only for assets
  InputMode mode = InputMode::ro_mount;
  std::string path;       // as written; relative to the job file
  bool optional = false;  // `optional: true` and no path: unset, segments $[[...]] that name it are dropped
  std::string datastore;  // recorded
  bool operator==(const Input&) const = default;
};

struct Output {
  AssetType type = AssetType::uri_folder;
  OutputMode mode = OutputMode::rw_mount;
  std::string path;                       // empty: the run's own outputs/<name>
  std::string asset_name, asset_version;  // recorded: under what to register it
  bool operator==(const Output&) const = default;
};

// Accepted and recorded; the local compute runs in the host's environment and says so.
struct EnvironmentSpec {
  std::string reference;  // "azureml:name@latest", ... when given as a string
  std::string image;
  std::string build_path;
  std::string dockerfile_path;
  std::string conda_file;
  std::string conda_inline;  // a conda specification given as a mapping, as YAML text
  std::string name, version, description;
  std::string os_type, datastore;
  std::string inference_config;  // a mapping, as YAML text
  std::map<std::string, std::string> tags, properties;
  bool empty() const;
  bool operator==(const EnvironmentSpec&) const = default;
};

struct Distribution {
  DistributionType type = DistributionType::none;
  int process_count_per_instance = 1;
  std::optional<int> worker_count;  // tensorflow; default: instance_count
  int parameter_server_count = 0;
  bool operator==(const Distribution&) const = default;
};

struct Resources {
  int instance_count = 1;
  std::string instance_type;
  std::string shm_size;  // "<n>[bkmg]"
  std::string docker_args;
  std::map<std::string, std::string> properties;  // nested values as JSON text
  std::vector<std::string> locations;             // recorded
  std::optional<int> max_instance_count;          // recorded
  bool operator==(const Resources&) const = default;
};

struct Service {
  std::string type;
  std::string log_dir, ssh_public_keys, nodes;
  std::optional<int> port;
  std::map<std::string, std::string> properties;
  bool operator==(const Service&) const = default;
};

struct CommandJob {
  std::string schema;
  std::string name;             // empty: one is generated
  std::string display_name;     // empty: adjective_noun
  std::string experiment_name;  // empty: the name of the submitting folder
  std::string description;
  std::map<std::string, std::string> tags;  // null values are ""
  std::map<std::string, std::string> properties;
  std::string code;         // as written; empty: none
  std::string command;      // with its expressions unresolved
  std::string preparation;  // likewise; ours, as Batch AI had it; empty: none
  std::map<std::string, Input> inputs;
  std::map<std::string, Output> outputs;
  EnvironmentSpec environment;
  std::map<std::string, std::string> environment_variables;
  std::string compute;  // "azureml:name" -> "name"; "local" and none named -> empty
  Distribution distribution;
  Resources resources;
  std::optional<int> timeout_s;  // limits.timeout
  std::map<std::string, Service> services;
  std::string identity_type;  // user_identity, managed, aml_token; empty: none
  std::map<std::string, std::string> identity;
  std::string queue_job_tier, queue_priority;
  std::string parent_job_name;  // recorded

  fs::path folder;  // of the job file, absolute: what relative paths are relative to
  bool operator==(const CommandJob&) const = default;
};

// The words of the file for these, and back by position in the enum.
std::string_view name_of(AssetType type);
std::string_view name_of(InputMode mode);
std::string_view name_of(OutputMode mode);
std::string_view name_of(DistributionType type);  // "none" is not a word of the file

}  // namespace lockstep::spec
