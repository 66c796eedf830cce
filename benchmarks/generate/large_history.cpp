// Makes the history that benchmarks/history-large.py measures, in a workspace of its own:
//
//   large_history FOLDER      does nothing where it is whole; a part of one is made anew
//
// 20 experiments of 5,000 runs, each with 10 params, 10 tags and 10 metrics of 100 points (100 million points); one
// experiment of 100,000 runs with the last values of those metrics; a run with two curves of a million points, logged
// in turn, and one with 100,000 metrics, both the newest of the first experiment.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "benchmarks/generate/large_history.hpp"
#include "common/error.hpp"
#include "common/run_folder.hpp"

using namespace lockstep;
using namespace lockstep::history;

namespace {
constexpr int runs_of_a_commit = 100;

void put(Store& store, const large::Made& made) {
  constexpr std::size_t metrics_of_a_call = 10'000;
  store.create_run(made.run);
  for (std::size_t at = 0; at < made.metrics.size(); at += metrics_of_a_call) {
    const auto rest = std::span(made.metrics).subspan(at);
    store.log_batch(made.run.run_id, rest.first(std::min(metrics_of_a_call, rest.size())), {}, {});
  }
}

void finish(Store& store, const large::Made& made) {
  store.update_run(made.run.run_id, {.state = RunState::completed, .ended_ms = made.ended_ms, .display_name = {}});
}

void fill(Store& store, const std::string& experiment, int first, int count, int points) {
  const std::string id = store.get_or_create_experiment(experiment).experiment_id;
  for (int at = 0; at < count; at += runs_of_a_commit) {
    store.in_one_commit(Survives::process_death, [&] {
      for (int i = at; i < std::min(count, at + runs_of_a_commit); ++i) {
        const large::Made made = large::usual_run(first + i, id, points);
        put(store, made);
        finish(store, made);
      }
    });
  }
  fmt::print("{}: {} runs\n", experiment, count);
  std::fflush(stdout);
}

void fill_long_run(Store& store, const std::string& experiment_id) {
  constexpr int steps_of_a_commit = 10'000;
  const large::Made made = large::long_run(experiment_id);
  put(store, made);
  for (int at = 0; at < large::points_of_the_long_curve; at += steps_of_a_commit) {
    store.log_batch(made.run.run_id, large::points_of_long_run(at, steps_of_a_commit), {}, {});
  }
  finish(store, made);
}

void fill_wide_run(Store& store, const std::string& experiment_id) {
  const large::Made made = large::wide_run(experiment_id);
  put(store, made);
  finish(store, made);
}

void generate(Store& store) {
  const auto name = [](int i) { return fmt::format("team-{:02}", i); };
  for (int i = 0; i < large::experiments; ++i) {
    fill(store, name(i), i * large::runs_of_an_experiment, large::runs_of_an_experiment, large::points_of_a_metric);
  }
  fill(store, "sweep", large::experiments * large::runs_of_an_experiment, large::runs_of_the_sweep, 1);
  const std::string first = store.get_experiment_by_name(name(0)).experiment_id;
  fill_wide_run(store, first);
  fill_long_run(store, first);
}
}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) throw bad_input("usage: large_history FOLDER");
  const fs::path folder = fs::absolute(argv[1]);
  const fs::path whole = folder / "whole";
  if (fs::exists(whole)) return 0;
  fs::remove_all(folder);
  const Workspace workspace(folder / ".lockstep");
  workspace.create();
  const auto begin = std::chrono::steady_clock::now();
  generate(*open_sqlite_store(workspace.store_file()));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  write_file_atomically(whole, fmt::format("{:.0f}\n", seconds));
  fmt::print("made in {:.0f} s\n", seconds);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "large_history: {}\n", error.what());
  return 1;
}
