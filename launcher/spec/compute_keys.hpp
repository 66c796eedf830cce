// The keys of a compute's file, beside name, type and engine: which types have them, and what each must be.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "launcher/spec/compute.hpp"
#include "launcher/spec/keys.hpp"

namespace lockstep::spec {

// A definition while its file is being read.
struct ComputeDraft {
  fs::path folder;  // what relative paths are relative to
  Compute compute = {};
  std::map<const YamlNode*, std::string> kept_as = {};  // other than as written: absolute paths, masks of passwords
};

// One bit for each type that has a key.
inline constexpr unsigned of_cluster = 1U << static_cast<unsigned>(ComputeType::amlcompute);
inline constexpr unsigned of_machine = 1U << static_cast<unsigned>(ComputeType::virtualmachine);
inline constexpr unsigned of_instance = 1U << static_cast<unsigned>(ComputeType::computeinstance);
inline constexpr unsigned of_all = of_cluster | of_machine | of_instance;

struct ComputeKey {
  std::string_view key;
  unsigned types;
  bool recorded;  // it has no effect here, and a note says so
  void (*read)(Keys& keys, const std::string& key, ComputeDraft& draft);
};

std::span<const ComputeKey> compute_keys();

// A path that is relative to the file's folder, or to $HOME when it begins with ~/; it is kept as an absolute one.
void read_path(Keys& keys, const std::string& key, ComputeDraft& draft, fs::path& path);

void read_engine(Keys& keys, ComputeDraft& draft);  // compute_engine.cpp
// engine.provider and engine.nodes_of, by which a compute has a partition of its own.
void read_scaling(Keys& engine, const Compute& compute, SlurmEngine& slurm);  // compute_provider.cpp

}  // namespace lockstep::spec
