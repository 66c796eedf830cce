// manifest.json: what a checkpoint consists of. Written last, so its being there means that all else is.
#pragma once

#include <map>
#include <string>

#include "runner/checkpoint/checkpoint.hpp"

namespace lockstep::runner {

inline constexpr const char* model_file = "model.safetensors";
inline constexpr const char* optimizer_file = "optimizer.safetensors";
inline constexpr const char* manifest_file = "manifest.json";

struct FileFacts {
  std::uint64_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  CheckpointFacts facts;
  std::map<std::string, FileFacts> files;
};

std::string write_manifest(const Manifest& manifest);
// Throws failure (`name` and reason) for anything that write_manifest does not write, other versions included.
Manifest parse_manifest(const std::string& text, const std::string& name);

}  // namespace lockstep::runner
