// What lies in the folders of an mlruns folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/file.hpp"
#include "history/transfer/mlruns_files.hpp"
#include "history/transfer/transfer.hpp"

namespace lockstep::history::transfer {

std::vector<fs::path> folders_in(const fs::path& folder);  // by name; none where there is no such folder
std::vector<fs::path> folders_with_meta(const fs::path& folder);
fs::path meta_of(const fs::path& folder);

// A file for each key below `folder`, in folders where the key has slashes; by key.
struct ValueFile {
  std::string key;
  fs::path file;
};
std::vector<ValueFile> value_files(const fs::path& folder);
std::vector<KeyValue> values_in(const fs::path& folder);  // of params and tags: what the files hold

Experiment experiment_in(const fs::path& folder);
FullRun run_in(const fs::path& experiment, const fs::path& folder);
LoggedModel logged_model_in(const fs::path& folder);
ImportedModel registered_model_in(const fs::path& folder);

// The values of a run's metrics, file after file, in the order of their lines.
class MetricFiles {
 public:
  explicit MetricFiles(const fs::path& run);
  bool next(std::string& key, std::vector<Metric>& points);

 private:
  std::vector<ValueFile> files_;
  std::size_t at_ = 0;
  std::unique_ptr<MetricLines> lines_;  // of files_[at_]; null: not opened yet
};

}  // namespace lockstep::history::transfer
