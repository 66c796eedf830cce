// Makes the history that benchmarks/history-large.py measures, in a workspace of its own:
//
//   large_history FOLDER      does nothing where it is whole; a part of one is made anew
//
// 20 experiments of 5,000 runs, each with 10 params, 10 tags and 10 metrics of 100 points (100 million points); an
// older one of 100,000 runs with the last values of those metrics; a run with two curves of a million points, logged in
// turn, and one with 100,000 metrics, both the newest of the first experiment.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "benchmarks/generate/large_history.hpp"
#include "common/error.hpp"
#include "common/run_folder.hpp"

using namespace lockstep;
using namespace lockstep::history;

namespace {
std::string experiment(Store& store, const std::string& name) {
  Experiment fresh;
  fresh.name = name;
  return store.import_experiment(fresh);
}

void fill(Store& store, const std::string& name, int first, int count, int points) {
  constexpr int runs_of_a_commit = 100;
  const std::string id = experiment(store, name);
  for (int at = first; at < first + count; at += runs_of_a_commit) {
    store.in_one_commit(Survives::process_death, [&] {
      for (int i = at; i < at + runs_of_a_commit; ++i) large::import_usual_run(store, i, id, points);
    });
  }
  fmt::print("{}: {} runs\n", name, count);
  std::fflush(stdout);
}

void generate(Store& store) {
  const auto name = [](int i) { return fmt::format("team-{:02}", i); };
  int number = 0;
  fill(store, "sweep", number, large::runs_of_the_sweep, 1);
  number += large::runs_of_the_sweep;
  for (int i = 0; i < large::experiments; ++i) {
    fill(store, name(i), number, large::runs_of_an_experiment, large::points_of_a_metric);
    number += large::runs_of_an_experiment;
  }
  large::import_wide_run(store, number, experiment(store, name(0)));
  large::import_long_run(store, number + 1, experiment(store, name(0)));
  store.sync_imports();
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
