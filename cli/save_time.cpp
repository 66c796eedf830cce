#include "cli/save_time.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "common/error.hpp"
#include "history/sink/metric_names.hpp"
#include "launcher/slurm/grace.hpp"
#include "launcher/supervise/supervisor.hpp"

namespace lockstep::cli {

namespace {
struct Measure {
  std::string_view metric;
  const char* what;
};
// The longer way first: a stop is the step that is under way, a save, and the ranks' end.
constexpr std::array<Measure, 2> measures = {
    {{supervise::stop_seconds, "to save and end took"}, {history::metric::save_seconds, "its last save took"}}};

struct Slow {
  std::string run_id;
  double seconds = 0;
};

// The slowest run whose last measure is above the limit.
std::optional<Slow> slower_than(history::Store& store, const std::string& experiment_id, const Measure& measure,
                                double limit_s) {
  const std::string key(measure.metric);
  history::Search search;
  search.experiment_ids = {experiment_id};
  search.clauses = {{history::Field::metric, key, history::Comparison::greater, limit_s}};
  search.order = {{history::Field::metric, key, false, "", ""}};
  search.max_results = 1;
  const auto page = store.search_runs(search);
  if (page.runs.empty()) return std::nullopt;
  for (const auto& each : page.runs.front().metrics) {
    if (each.key == key) return Slow{page.runs.front().run.run_id, each.value};
  }
  return std::nullopt;
}
}  // namespace

std::vector<std::string> save_time_notes(history::Store& store, const std::string& experiment,
                                         const std::vector<TimeToSave>& times) {
  std::vector<std::string> notes;
  try {
    const std::string id = store.get_experiment_by_name(experiment).experiment_id;
    for (const auto& time : times) {
      for (const auto& measure : measures) {
        const auto slow = slower_than(store, id, measure, time.seconds);
        if (!slow) continue;
        notes.push_back(fmt::format("in run {} of this experiment {} {:.1f} s; {}: {}", slow->run_id, measure.what,
                                    slow->seconds, time.giver, time.remedy));
        break;
      }
    }
  } catch (const Error&) {
    return notes;  // there is no such experiment yet
  }
  return notes;
}

std::vector<std::string> save_time_notes(const plan::Plan& plan, const Workspace& workspace, int stop_grace_s) {
  std::error_code unseen;
  if (!fs::exists(workspace.store_file(), unseen)) return {};
  try {
    std::vector<TimeToSave> times{{static_cast<double>(stop_grace_s),
                                   fmt::format("--stop-grace gives {} s", stop_grace_s),
                                   "raise it or checkpoint more often"}};
    const auto grace =
        plan.remote && plan.remote->compute.slurm ? slurm::grace_of(*plan.remote->compute.slurm) : std::nullopt;
    if (grace) {
      times.push_back({static_cast<double>(grace->seconds()),
                       fmt::format("partition {} gives {} s before it takes nodes away (GraceTime {} s, KillWait {} s)",
                                   grace->partition, grace->seconds(), grace->grace_time_s, grace->kill_wait_s),
                       "raise GraceTime or checkpoint more often"});
    }
    const auto store = history::open_sqlite_store(workspace.store_file());
    return save_time_notes(*store, plan.experiment_name, times);
  } catch (const Error&) {
    return {};  // the submission itself says what is wrong with the store
  }
}

}  // namespace lockstep::cli
