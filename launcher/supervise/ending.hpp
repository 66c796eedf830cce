// How a run ended: what is written to state.json, and what the store is told. The keeper writes it with the program's
// true exit; the supervisor writes it where there was no program, or no keeper left.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/run_folder.hpp"
#include "history/store/store.hpp"
#include "launcher/supervise/diagnosis.hpp"

namespace lockstep::supervise {

struct Ending {
  history::RunState state = history::RunState::failed;  // Completed, Failed or Canceled
  history::Outcome outcome;
  std::optional<FailureLog> failure;  // of a failure that was looked into
  std::int64_t ended_ms = 0;
  bool operator==(const Ending&) const = default;
};

Ending ended(history::RunState state, const std::string& reason);  // now, with no exit code

// Why a run that was asked to end is ended, whatever its program made of it: the request wins over the exit code.
struct StopRequest {
  history::RunState state = history::RunState::canceled;  // or Failed: the supervisor was killed
  std::string reason;
};

// From the program's status (as waitpid gives it). Where that is a failure, `diagnosis` tells more than it can.
Ending judge(int status, const std::optional<StopRequest>& stop, const std::optional<Diagnosis>& diagnosis);
bool is_failure(int status);  // neither 0 nor "stopped early"

std::string to_text(const Ending& ending);
std::optional<Ending> ending_from_text(std::string_view text);  // nullopt: not a whole ending

// A run that fails because its disk is full has to write so on that disk: some room is kept for that from its
// beginning, in owner.lock, beyond its end. A file system that can't do this keeps none. False: there is none to keep.
bool keep_room_for_ending(const RunFolder& folder);
void give_room_back(const RunFolder& folder);  // to whoever writes next: how it ended, what the store has to be told

// Durable; takes the room that was kept, if it has to.
void write_ending(const RunFolder& folder, const Ending& ending);
std::optional<Ending> read_ending(const RunFolder& folder);

}  // namespace lockstep::supervise
