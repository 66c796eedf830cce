// What the large history holds: every value follows from the number of its run, so two machines measure the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "history/store/store.hpp"

namespace lockstep::history::large {

constexpr int experiments = 20;
constexpr int runs_of_an_experiment = 5'000;
constexpr int points_of_a_metric = 100;
constexpr int runs_of_the_sweep = 100'000;  // one experiment: many runs, each with the last values of its metrics only
constexpr int points_of_the_long_curve = 1'000'000;
constexpr int keys_of_the_wide_run = 100'000;

struct Made {
  NewRun run;
  std::vector<Metric> metrics;  // step after step, as a training logs them
  std::int64_t ended_ms = 0;
};

Made usual_run(int number, const std::string& experiment_id, int points);
Made wide_run(const std::string& experiment_id);

// The points from `first` on, `count` of each of two metrics.
Made long_run(const std::string& experiment_id);
std::vector<Metric> points_of_long_run(int first, int count);

}  // namespace lockstep::history::large
