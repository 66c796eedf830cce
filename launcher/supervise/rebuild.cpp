#include "launcher/supervise/rebuild.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "common/error.hpp"
#include "common/file.hpp"
#include "history/transfer/open_source.hpp"
#include "launcher/supervise/abandoned.hpp"
#include "launcher/supervise/folder_history.hpp"

namespace lockstep::supervise {

namespace transfer = history::transfer;

namespace {
std::vector<RunFolder> folders_by_age(const Workspace& workspace) {
  std::vector<std::pair<fs::file_time_type, fs::path>> all;
  std::error_code missing;
  for (const auto& each : fs::directory_iterator(workspace.runs(), missing)) {
    const RunFolder folder(each.path());
    const auto age = fs::last_write_time(folder.job_file(), missing);
    if (each.is_directory()) all.emplace_back(missing ? fs::file_time_type::min() : age, each.path());
  }
  std::sort(all.begin(), all.end());
  std::vector<RunFolder> folders;
  for (const auto& [age, path] : all) folders.emplace_back(path);
  return folders;
}

class Rebuilding {
 public:
  using Told = std::function<void(const transfer::Counts&)>;
  Rebuilding(const Workspace& workspace, history::Store& store, const Told& told)
      : workspace_(workspace), store_(store), sink_(store), counted_(sink_, told) {}

  void take(const RunFolder& folder) {
    if (is_here(folder.run_id())) {
      ++here_;
      return;
    }
    {
      const auto lock = FileLock::try_take(folder.owner_lock());
      if (!lock) {
        ++rebuilt_.live;
        return;
      }
      if (!take_archive(folder) && !take_files(folder)) return;
    }
    close_if_abandoned(workspace_, store_, folder.run_id());  // one that did not say how it ended
  }

  Rebuilt end() {
    sink_.end();
    rebuilt_.taken = sink_.taken();
    rebuilt_.taken.runs_here += here_;
    rebuilt_.taken.added.runs += abandoned_;
    for (auto& each : unreadable_) rebuilt_.taken.left_out.push_back(std::move(each));
    return std::move(rebuilt_);
  }

 private:
  bool is_here(const std::string& run_id) {
    try {
      store_.get_run(run_id);
      return true;
    } catch (const Error& error) {
      if (error.code() != ExitCode::not_found) throw;
      return false;
    }
  }

  bool take_archive(const RunFolder& folder) {
    if (!fs::exists(folder.history_file())) return false;
    try {
      transfer::open_source(folder.history_file()).source->give(counted_);
    } catch (const Error& error) {
      if (error.code() != ExitCode::bad_input) throw;
      rebuilt_.remarks.push_back(error.what());
    }
    if (!is_here(folder.run_id())) return false;
    ++rebuilt_.from_archives;
    return true;
  }

  bool take_files(const RunFolder& folder) {
    try {
      const FolderHistory history(folder);
      counted_.take(history.experiment());
      if (history.has_ended()) {
        counted_.take(history.run(), history.series());
        return is_here(folder.run_id());
      }
      return take_unfinished(history.run(), history.experiment());
    } catch (const Error& error) {
      if (error.code() != ExitCode::bad_input) throw;
      unreadable_.push_back(fmt::format("{}: {}", folder.run_id(), error.what()));
      return false;
    }
  }

  // It is abandoned: closing it takes its journals in.
  bool take_unfinished(const history::ImportedRun& run, const history::Experiment& experiment) {
    history::ImportedRun here = run;
    here.run.run.experiment_id = store_.get_experiment_by_name(experiment.name).experiment_id;
    abandoned_ += store_.import_run(here, [](std::string&, std::vector<history::Metric>&) { return false; }) ? 1 : 0;
    return true;
  }

  const Workspace& workspace_;
  history::Store& store_;
  transfer::StoreSink sink_;
  transfer::CountedSink counted_;
  Rebuilt rebuilt_;
  std::int64_t here_ = 0;
  std::int64_t abandoned_ = 0;
  std::vector<std::string> unreadable_;
};
}  // namespace

Rebuilt rebuild(const Workspace& workspace, history::Store& store,
                const std::function<void(const transfer::Counts&)>& told) {
  Rebuilding rebuilding(workspace, store, told);
  for (const RunFolder& folder : folders_by_age(workspace)) rebuilding.take(folder);
  return rebuilding.end();
}

}  // namespace lockstep::supervise
