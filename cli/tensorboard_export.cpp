#include "cli/tensorboard_export.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "history/sink/metric_names.hpp"
#include "history/sink/tensorboard/event.hpp"
#include "history/sink/tensorboard/event_file.hpp"

namespace lockstep::cli {

namespace {

namespace tensorboard = history::tensorboard;

constexpr const char* our_ending = ".store";  // of the files that are written here

// How far the export to a folder is. It is written after the events: what stands in `file` behind `bytes` was written
// by somebody who was killed before he could say so, and will come again.
struct Progress {
  std::string file;  // its name; empty: none yet
  std::uint64_t bytes = 0;
  std::int64_t row = 0;
  std::size_t params = 0;
  bool operator==(const Progress&) const = default;
};

fs::path progress_file(const fs::path& folder) { return folder / "exported.json"; }

bool is_ours(const fs::path& file) { return file.filename().string().ends_with(our_ending); }

// What can't be read, or does not fit to the files that are there, is as if there were none: all is exported anew.
Progress read_progress(const fs::path& folder) {
  Progress progress;
  try {
    const auto json = nlohmann::json::parse(read_file_if_exists(progress_file(folder)).value_or("{}"));
    progress = {json.value("file", ""), json.value("bytes", std::uint64_t{0}), json.value("row", std::int64_t{0}),
                json.value("params", std::size_t{0})};
  } catch (const nlohmann::json::exception&) {
    return {};
  }
  if (progress.file.empty()) return progress;
  const fs::path file = folder / progress.file;
  std::error_code missing;
  const bool fits = is_ours(file) && file.parent_path() == folder && fs::file_size(file, missing) >= progress.bytes;
  return fits && !missing ? progress : Progress();
}

void save(const fs::path& folder, const Progress& progress) {
  const nlohmann::json json = {
      {"file", progress.file}, {"bytes", progress.bytes}, {"row", progress.row}, {"params", progress.params}};
  write_file_atomically(progress_file(folder), json.dump() + "\n");
}

bool has_events_of_its_own(const fs::path& folder) {
  const auto files = fs::directory_iterator(folder);
  return std::any_of(begin(files), end(files), [](const fs::directory_entry& each) {
    return tensorboard::is_event_file(each.path()) && !is_ours(each.path());
  });
}

void remove_ours(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& each : fs::directory_iterator(folder)) {
    if (tensorboard::is_event_file(each.path()) && is_ours(each.path())) files.push_back(each.path());
  }
  for (const auto& each : files) fs::remove(each);
}

// One export to one folder, under its lock.
class Export {
 public:
  explicit Export(const fs::path& folder) : folder_(folder), before_(read_progress(folder)), progress_(before_) {
    if (!progress_.file.empty()) file_.emplace(folder_ / progress_.file, progress_.bytes);
  }

  std::int64_t metrics(history::MetricReader& metrics, const std::string& run_id) {
    const bool has_own = has_events_of_its_own(folder_);
    const auto& own = history::metric::all;
    progress_.row = metrics.follow(run_id, progress_.row, [&](const history::Metric& each) {
      if (!has_own || std::find(own.begin(), own.end(), each.key) == own.end()) add(each);
    });
    end_event();
    return values_;
  }

  void params(history::Store& store, const history::Run& run) {
    if (has_events_of_its_own(folder_)) return;
    std::vector<std::pair<std::string, std::string>> rows;
    for (const auto& each : store.params(run.run_id)) rows.emplace_back(each.key, each.value);
    if (rows.size() == progress_.params) return;  // they are never changed
    progress_.params = rows.size();
    const tensorboard::Moment start{0, run.started_ms != 0 ? run.started_ms : run.created_ms};
    write(tensorboard::record(tensorboard::text_event(start, "parameters", tensorboard::markdown_table(rows))));
  }

  void end() {
    if (!records_.empty()) flush();
    if (progress_ != before_) save(folder_, progress_);
  }

 private:
  void add(const history::Metric& metric) {
    const tensorboard::Moment moment{metric.step, metric.timestamp_ms};
    if (moment != moment_) end_event();
    moment_ = moment;
    scalars_.emplace_back(metric.key, metric.value);
    ++values_;
  }

  void end_event() {
    if (!scalars_.empty()) write(tensorboard::record(tensorboard::scalars_event(moment_, scalars_)));
    scalars_.clear();
  }

  void write(const std::string& record) {
    constexpr std::size_t enough = 256 * 1024;
    if (records_.size() > enough) flush();
    records_ += record;
  }

  void flush() {
    tensorboard::EventFile& file = opened();
    file.append(records_);
    records_.clear();
    progress_.bytes = file.bytes();
  }

  tensorboard::EventFile& opened() {
    if (file_) return *file_;
    remove_ours(folder_);  // what is there belongs to no progress that can be read
    tensorboard::EventFile& file = file_.emplace(folder_, our_ending);
    progress_.file = before_.file = file.path().filename();
    progress_.bytes = before_.bytes = file.bytes();
    save(folder_, before_);
    return file;
  }

  fs::path folder_;
  Progress before_;    // as it is saved
  Progress progress_;  // as it will be
  std::optional<tensorboard::EventFile> file_;
  std::string records_;
  tensorboard::Moment moment_;
  tensorboard::Scalars scalars_;
  std::int64_t values_ = 0;
};

}  // namespace

std::int64_t export_events(history::Store& store, history::MetricReader& metrics, const history::Run& run,
                           const fs::path& folder) {
  fs::create_directories(folder);
  const FileLock alone = FileLock::take(folder / "exported.lock");
  Export events(folder);
  events.params(store, run);
  const std::int64_t values = events.metrics(metrics, run.run_id);
  events.end();
  return values;
}

}  // namespace lockstep::cli
