#include "history/transfer/mlruns.hpp"

#include <algorithm>
#include <tuple>

#include "common/error.hpp"
#include "history/transfer/mlruns_folders.hpp"

namespace lockstep::history::transfer {

namespace {
constexpr const char* trash = ".trash";
constexpr const char* models = "models";  // of the folder: registered ones; of an experiment: logged ones

// Beside its runs an experiment has folders of other things.
bool is_no_run(const fs::path& folder) {
  const std::string name = folder.filename();
  return name == models || name == "datasets" || name == "tags" || name == "traces";
}
}  // namespace

bool is_mlruns(const fs::path& folder) {
  std::vector<fs::path> all = folders_with_meta(folder);
  const std::vector<fs::path> deleted = folders_with_meta(folder / trash);
  all.insert(all.end(), deleted.begin(), deleted.end());
  return !all.empty();
}

Mlruns::Mlruns(const fs::path& folder) : root_(folder) {
  if (!is_mlruns(folder)) {
    throw bad_input("{} is no mlruns folder: no folder in it has a meta.yaml", folder.string());
  }
}

void Mlruns::give(Sink& sink) {
  struct Found {
    Experiment experiment;
    fs::path folder;
  };
  std::vector<Found> all;
  for (const fs::path& place : {root_, root_ / trash}) {
    for (const fs::path& each : folders_with_meta(place)) {
      if (each.filename() != models) all.push_back({experiment_in(each), each});
    }
  }
  std::sort(all.begin(), all.end(), [](const Found& a, const Found& b) {
    return std::tuple(a.experiment.created_ms, a.experiment.experiment_id) <
           std::tuple(b.experiment.created_ms, b.experiment.experiment_id);
  });
  for (const Found& each : all) {
    sink.take(each.experiment);
    experiments_.push_back(each.folder);
  }
  give_runs(sink);
  give_logged_models(sink);
  give_registry(sink);
  sink.end();
}

// By age, so that a parent comes before its children.
void Mlruns::give_runs(Sink& sink) {
  struct Found {
    std::int64_t started_ms;
    fs::path experiment;
    fs::path folder;
  };
  std::vector<Found> all;
  for (const fs::path& experiment : experiments_) {
    for (const fs::path& each : folders_with_meta(experiment)) {
      if (is_no_run(each)) continue;
      all.push_back({MetaFile::read(meta_of(each)).integer("start_time"), experiment, each});
    }
  }
  std::sort(all.begin(), all.end(), [](const Found& a, const Found& b) {
    return std::tie(a.started_ms, a.folder) < std::tie(b.started_ms, b.folder);
  });
  for (const Found& each : all) {
    MetricFiles files(each.folder);
    sink.take(ImportedRun{run_in(each.experiment, each.folder), {}},
              [&](std::string& key, std::vector<Metric>& points) { return files.next(key, points); });
  }
}

void Mlruns::give_logged_models(Sink& sink) {
  for (const fs::path& experiment : experiments_) {
    for (const fs::path& each : folders_with_meta(experiment / models)) {
      if (MetaFile::read(meta_of(each)).text("lifecycle_stage") != "deleted") sink.take(logged_model_in(each));
    }
  }
}

void Mlruns::give_registry(Sink& sink) {
  for (const fs::path& each : folders_with_meta(root_ / models)) sink.take(registered_model_in(each));
}

}  // namespace lockstep::history::transfer
