#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "runner/checkpoint/checkpoint.hpp"
#include "runner/checkpoint/manifest.hpp"
#include "runner/checkpoint/tensors.hpp"

namespace lockstep::runner {

static std::string read_verified(const fs::path& path, const FileFacts& facts) {
  std::error_code none;
  const std::uintmax_t size = fs::file_size(path, none);
  if (none) throw failure("{}: {}", path.string(), none.message());
  if (size != facts.bytes) throw failure("{} has {} bytes, its manifest says {}", path.string(), size, facts.bytes);
  std::string bytes = read_file(path, facts.bytes);
  if (sha256_hex(bytes) != facts.sha256)
    throw failure("{} is damaged: its SHA-256 is not the manifest's", path.string());
  return bytes;
}

static std::vector<std::string> identity_mismatches(const std::map<std::string, std::string>& saved,
                                                    const std::map<std::string, std::string>& here) {
  std::vector<std::string> mismatches;
  for (const auto& [name, value] : here) {
    const auto found = saved.find(name);
    const std::string was = found == saved.end() ? "not set" : found->second;
    if (was != value) mismatches.push_back(fmt::format("{} was {}, here {}", name, was, value));
  }
  return mismatches;
}

LoadedCheckpoint load_checkpoint(const fs::path& path, const std::map<std::string, std::string>& identity,
                                 TrainingState& state) {
  const Manifest manifest = parse_manifest(read_file(path / manifest_file), (path / manifest_file).string());
  const std::string model_bytes = read_verified(path / model_file, manifest.files.at(model_file));
  const std::string optimizer_bytes = read_verified(path / optimizer_file, manifest.files.at(optimizer_file));
  const auto model_index = parse_safetensors(model_bytes, (path / model_file).string());
  const auto optimizer_index = parse_safetensors(optimizer_bytes, (path / optimizer_file).string());

  std::vector<std::string> mismatches = identity_mismatches(manifest.facts.identity, identity);
  const auto model_arena = model_tensors(state);
  const auto optimizer_arenas = optimizer_tensors(state);
  for (auto& each : tensor_mismatches(model_arena, model_index)) mismatches.push_back(std::move(each));
  for (auto& each : tensor_mismatches(optimizer_arenas, optimizer_index)) mismatches.push_back(std::move(each));
  if (!mismatches.empty()) {
    throw bad_input("{} does not fit this run:\n  {}\nUse the options it was made with, or another --checkpoint-dir.",
                    path.string(), fmt::join(mismatches, "\n  "));
  }
  copy_into(model_arena, model_bytes, model_index);
  copy_into(optimizer_arenas, optimizer_bytes, optimizer_index);
  return {path, manifest.facts};
}

std::optional<LoadedCheckpoint> load_latest_complete_checkpoint(const fs::path& folder,
                                                                const std::map<std::string, std::string>& identity,
                                                                TrainingState& state, const Say& say) {
  for (const fs::path& path : list_step_folders(folder)) {
    if (!has_manifest(path)) {
      say(fmt::format("passed over the checkpoint {}: it has no manifest, so it was never completed", path.string()));
      continue;
    }
    try {
      return load_checkpoint(path, identity, state);
    } catch (const Error& error) {
      if (error.code() == ExitCode::bad_input) throw;
      say(fmt::format("passed over the checkpoint {}: {}", path.string(), error.what()));
    }
  }
  return std::nullopt;
}

}  // namespace lockstep::runner
