// The states of a run: one enum, one transition table. docs/states.md is the page.
#pragma once

#include <optional>
#include <string_view>

namespace lockstep::history {

enum class RunState {
  not_started,
  queued,
  preparing,
  running,
  finalizing,
  cancel_requested,
  paused,
  not_responding,
  completed,
  failed,
  canceled,
};

// "NotStarted", "CancelRequested", ...: the spelling of Azure ML.
std::string_view name_of(RunState state);
std::optional<RunState> state_named(std::string_view name);

// MLflow's word: SCHEDULED, RUNNING, FINISHED, FAILED, KILLED.
std::string_view mlflow_status(RunState state);

bool is_terminal(RunState state);
bool may_follow(RunState from, RunState to);

}  // namespace lockstep::history
