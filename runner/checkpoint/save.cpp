#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/digest.hpp"
#include "common/fault.hpp"
#include "runner/checkpoint/checkpoint.hpp"
#include "runner/checkpoint/manifest.hpp"
#include "runner/checkpoint/tensors.hpp"

namespace lockstep::runner {

static constexpr std::string_view folder_prefix = "step-";

// -1 for anything but a folder of a checkpoint.
static std::int64_t step_of(const fs::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(folder_prefix)) return -1;
  std::int64_t step = 0;
  const char* end = name.data() + name.size();
  const auto [stopped, error] = std::from_chars(name.data() + folder_prefix.size(), end, step);
  return error == std::errc{} && stopped == end ? step : -1;
}

std::vector<fs::path> list_step_folders(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.is_directory() && step_of(entry.path()) >= 0) all.push_back(entry.path());
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return step_of(a) > step_of(b); });
  return all;
}

bool has_manifest(const fs::path& checkpoint) { return fs::exists(checkpoint / manifest_file); }

// The manifest goes first: a removal that is cut short leaves an incomplete folder, never a damaged checkpoint.
static void remove_checkpoint(const fs::path& path) {
  fs::remove(path / manifest_file);
  fs::remove_all(path);
}

static void remove_old_ones(const fs::path& folder, const fs::path& newest, int keep) {
  int complete = 0;
  for (const fs::path& each : list_step_folders(folder)) {
    if (each == newest) {
      ++complete;
    } else if (step_of(each) < step_of(newest) && (!has_manifest(each) || ++complete > keep)) {
      remove_checkpoint(each);
    }
  }
}

static FileFacts save_file(const fs::path& path, const std::string& bytes) {
  write_file_durably(path, bytes);
  return {bytes.size(), sha256_hex(bytes)};
}

fs::path save_checkpoint(const fs::path& folder, const CheckpointFacts& facts, TrainingState& state, int keep) {
  const fs::path path = folder / fmt::format("{}{:08}", folder_prefix, facts.position.step);
  fs::create_directories(path);
  fs::remove(path / manifest_file);  // a damaged one of this step, which is written again
  const std::map<std::string, std::string> metadata = {{"format", "pt"}, {"step", std::to_string(facts.position.step)}};
  Manifest manifest{facts, {}};
  manifest.files[model_file] = save_file(path / model_file, write_safetensors(model_tensors(state), metadata));
  fault_point("checkpoint-after-model");
  manifest.files[optimizer_file] =
      save_file(path / optimizer_file, write_safetensors(optimizer_tensors(state), metadata));
  fault_point("checkpoint-before-manifest");
  write_file_durably(path / manifest_file, write_manifest(manifest));
  fault_point("checkpoint-before-removal");
  remove_old_ones(folder, path, keep);
  return path;
}

}  // namespace lockstep::runner
