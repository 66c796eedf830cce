#include "history/store/state.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace lockstep::history {

namespace {
using enum RunState;

constexpr std::uint32_t bit(RunState state) { return 1U << static_cast<unsigned>(state); }
template <class... States>
constexpr std::uint32_t any_of(States... states) {
  return (bit(states) | ...);
}

// Wherever a run stands, it can be asked to stop, and it can end without having got further.
constexpr std::uint32_t the_end = any_of(cancel_requested, failed, canceled);

struct Row {
  RunState state;
  std::string_view name;    // Azure ML's
  std::string_view mlflow;  // RunStatus
  std::uint32_t next;       // the states that may follow; none: terminal
};

// The transition table; docs/states.md is its page. Running may go back to Queued or Preparing when a run is
// restarted, and straight to Completed when an MLflow client, not a supervisor, ends it. Nothing starts again after a
// cancel was asked for.
constexpr std::array<Row, 11> table{{
    {not_started, "NotStarted", "SCHEDULED", the_end | any_of(queued, preparing, running)},
    {queued, "Queued", "SCHEDULED", the_end | any_of(preparing, running, finalizing, paused, not_responding)},
    {preparing, "Preparing", "SCHEDULED", the_end | any_of(queued, running, finalizing, not_responding)},
    {running, "Running", "RUNNING", the_end | any_of(queued, preparing, finalizing, paused, not_responding, completed)},
    {finalizing, "Finalizing", "RUNNING", the_end | any_of(completed)},
    {cancel_requested, "CancelRequested", "RUNNING", any_of(finalizing, completed, failed, canceled)},
    {paused, "Paused", "SCHEDULED", the_end | any_of(queued, preparing, running, finalizing, not_responding)},
    {not_responding, "NotResponding", "RUNNING",
     the_end | any_of(queued, preparing, running, finalizing, paused, completed)},
    {completed, "Completed", "FINISHED", 0},
    {failed, "Failed", "FAILED", 0},
    {canceled, "Canceled", "KILLED", 0},
}};

constexpr bool rows_stand_in_the_order_of_the_enum() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].state) != i) return false;
  }
  return true;
}
static_assert(rows_stand_in_the_order_of_the_enum());

const Row& row(RunState state) { return table.at(static_cast<std::size_t>(state)); }
}  // namespace

std::string_view name_of(RunState state) { return row(state).name; }

std::optional<RunState> state_named(std::string_view name) {
  for (const Row& each : table) {
    if (each.name == name) return each.state;
  }
  return std::nullopt;
}

std::string_view mlflow_status(RunState state) { return row(state).mlflow; }
bool is_terminal(RunState state) { return row(state).next == 0; }
bool may_follow(RunState from, RunState to) { return (row(from).next & bit(to)) != 0; }

}  // namespace lockstep::history
