#include "launcher/supervise/folder_history.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "common/error.hpp"
#include "history/sink/journal.hpp"
#include "history/store/limits.hpp"
#include "history/store/metric_rows.hpp"
#include "launcher/spec/read_job.hpp"
#include "launcher/supervise/ending.hpp"
#include "launcher/supervise/records.hpp"

namespace lockstep::supervise {

using history::KeyValue;
using history::Metric;
using history::RunState;

namespace {
// When the file was written; 0: it is not there.
std::int64_t written_ms(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return 0;
  return std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000;
}

// When the first rank registered, just before it became the job's program.
std::int64_t first_rank_ms(const RunFolder& folder, int ranks) {
  std::int64_t first = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    const std::int64_t ms = written_ms(folder.rank_file(rank));
    if (ms != 0 && (first == 0 || ms < first)) first = ms;
  }
  return first;
}

// The values of all journals, one key's after the other's within each piece of a journal.
class JournalSeries {
 public:
  JournalSeries(RunFolder folder, int ranks) : folder_(std::move(folder)), ranks_(ranks) {}

  bool next(std::string& key, std::vector<Metric>& points) {
    while (ready_.empty()) {
      if (!read_more()) return false;
    }
    auto first = ready_.extract(ready_.begin());
    key = std::move(first.key());
    points = std::move(first.mapped());
    return true;
  }

 private:
  bool read_more() {
    constexpr std::size_t entries_at_once = 10'000;  // a key comes once in each
    if (!reader_) {
      if (rank_ == ranks_) return false;
      reader_ = std::make_unique<history::JournalReader>(folder_.journal(rank_++));
    }
    const auto entries = reader_->read_new(entries_at_once);
    if (entries.empty()) reader_.reset();
    for (const auto& entry : entries) {
      for (const auto& [key, value] : entry.metrics) add({key, value, entry.timestamp_ms, entry.step});
    }
    return true;
  }

  // What the store does with a batch: what breaks a limit is left out, what repeats the latest value is kept once.
  void add(const Metric& metric) {
    if (history::limits::mistake_in_metric(metric)) return;
    const history::SeriesRow fresh{0, metric.step, metric.timestamp_ms, metric.value, true, 0, true};
    history::SeriesRow& latest = latest_.try_emplace(metric.key, fresh).first->second;
    if (latest.is_repeated_by(metric)) return;
    latest.add(metric);
    ready_[metric.key].push_back(metric);
  }

  RunFolder folder_;
  int ranks_;
  int rank_ = 0;
  std::unique_ptr<history::JournalReader> reader_;
  std::map<std::string, history::SeriesRow> latest_;
  std::map<std::string, std::vector<Metric>> ready_;
};
}  // namespace

FolderHistory::FolderHistory(const RunFolder& folder) : folder_(folder) {
  read_plan();
  read_job();
  read_journals();
  read_ending();
}

// As records.cpp makes a run of a plan; here the plan is a file.
void FolderHistory::read_plan() {
  const auto text = read_file_if_exists(folder_.plan_file());
  try {
    const auto plan = nlohmann::json::parse(text.value_or(""));
    history::Run& run = run_.run.run;
    run.run_id = folder_.run_id();
    run.created_ms = written_ms(folder_.plan_file());
    run.display_name = plan.at("display_name");
    run.user_id = plan.at("user");
    run.compute = plan.at("compute");
    run.artifact_uri = "file://" + folder_.outputs().string();
    ranks_ = ranks_ever(folder_, static_cast<int>(plan.at("ranks").size()));
    experiment_.name = plan.at("experiment_name");
    experiment_.experiment_id = experiment_.name;  // not known; it is found by its name
    experiment_.created_ms = run.created_ms;
    run.experiment_id = experiment_.experiment_id;
    for (const auto& input : plan.at("inputs")) {
      if (input.at("how") == "literal") run_.run.params.push_back({input.at("name"), input.at("source")});
    }
    for (const auto& [key, value] : {std::pair("mlflow.runName", run.display_name), {"mlflow.user", run.user_id}}) {
      if (!value.empty()) run_.run.tags.push_back({key, value});
    }
  } catch (const nlohmann::json::exception& error) {
    throw bad_input("{} is no whole plan: {}", folder_.plan_file().string(), error.what());
  }
}

// A job file of another release may not be readable any more; the run is more than its tags.
void FolderHistory::read_job() {
  try {
    const spec::CommandJob job = spec::read_job_file(folder_.job_file());
    for (const auto& [key, value] : job.tags) run_.run.tags.push_back({key, value});
    if (!job.description.empty()) run_.run.tags.push_back({"mlflow.note.content", job.description});
  } catch (const Error&) {
    return;
  }
}

void FolderHistory::read_ending() {
  history::Run& run = run_.run.run;
  run.epoch = 1;
  run.started_ms = first_rank_ms(folder_, ranks_);
  run.state = run.started_ms != 0 ? RunState::running : RunState::not_started;
  const auto ending = supervise::read_ending(folder_);
  if (!ending) return;
  run.state = ending->state;
  run.outcome = ending->outcome;
  run.ended_ms = ending->ended_ms;
}

// Parameters and tags of the journals; a parameter keeps its first value, a tag has its last.
void FolderHistory::read_journals() {
  std::vector<KeyValue>& params = run_.run.params;
  const auto take_param = [&](const KeyValue& param) {
    const auto same = [&](const KeyValue& each) { return each.key == param.key; };
    if (history::limits::check_param(param, true).mistake) return;
    if (std::none_of(params.begin(), params.end(), same)) params.push_back(param);
  };
  for (int rank = 0; rank < ranks_; ++rank) {
    history::JournalReader reader(folder_.journal(rank));
    for (auto entries = reader.read_new(); !entries.empty(); entries = reader.read_new()) {
      for (const auto& entry : entries) {
        for (const auto& [key, value] : entry.params) take_param({key, value});
        for (const auto& [key, value] : entry.tags) {
          if (!history::limits::check_tag({key, value}, true).mistake) run_.run.tags.push_back({key, value});
        }
      }
    }
  }
}

history::NextSeries FolderHistory::series() const {
  auto journals = std::make_shared<JournalSeries>(folder_, ranks_);
  return [journals](std::string& key, std::vector<Metric>& points) { return journals->next(key, points); };
}

}  // namespace lockstep::supervise
