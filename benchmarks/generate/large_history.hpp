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

// Gives run number `number` to the store: 0 is the oldest. `points` of each of its ten metrics, the last ones.
void import_usual_run(Store& store, int number, const std::string& experiment_id, int points);
void import_wide_run(Store& store, int number, const std::string& experiment_id);
// Two curves, which lie in the database as they were logged: a hundred points of one, a hundred of the other.
void import_long_run(Store& store, int number, const std::string& experiment_id);

}  // namespace lockstep::history::large
