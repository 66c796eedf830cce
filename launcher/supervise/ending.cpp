#include "launcher/supervise/ending.hpp"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "common/clock.hpp"
#include "common/error.hpp"

namespace lockstep::supervise {

using history::Outcome;
using history::RunState;

Ending ended(RunState state, const std::string& reason) {
  Ending ending;
  ending.state = state;
  ending.outcome.reason = reason;
  ending.ended_ms = now_ms();
  return ending;
}

static Outcome outcome_of(int status) {
  Outcome outcome;
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    outcome.signal = signal;
    outcome.reason = fmt::format("the program was killed by signal {} ({})", signal, ::sigdescr_np(signal));
  } else {
    outcome.exit_code = WEXITSTATUS(status);
    outcome.reason = fmt::format("the program exited with {}", WEXITSTATUS(status));
  }
  return outcome;
}

bool is_failure(int status) {
  return !WIFEXITED(status) ||
         (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != static_cast<int>(ExitCode::stopped_early));
}

Ending judge(int status, const std::optional<StopRequest>& stop, const std::optional<Diagnosis>& diagnosis) {
  Ending ending = ended(RunState::failed, "");
  ending.outcome = outcome_of(status);
  if (stop) {
    ending.state = stop->state;
    ending.outcome.reason = stop->reason;
  } else if (ending.outcome.exit_code == 0) {
    ending.state = RunState::completed;
  } else if (!is_failure(status)) {
    ending.state = RunState::canceled;
    ending.outcome.reason = "stopped early: it saved its state and can be resumed (exit code 75)";
  } else if (diagnosis) {
    ending.outcome.reason = diagnosis->reason;
    ending.outcome.first_failed_rank = diagnosis->rank;
    ending.failure = diagnosis->log;
    // The failing rank's own exit says more than what mpirun made of it.
    if (diagnosis->exit_code || diagnosis->signal) {
      ending.outcome.exit_code = diagnosis->exit_code;
      ending.outcome.signal = diagnosis->signal;
    }
  }
  return ending;
}

static nlohmann::json or_null(const std::optional<int>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}
static std::optional<int> int_or_null(const nlohmann::json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<int>());
}

static nlohmann::json failure_json(const std::optional<FailureLog>& failure) {
  if (!failure) return nullptr;
  return {{"log", failure->file}, {"last_lines", failure->last_lines}, {"hint", failure->hint}};
}
static std::optional<FailureLog> failure_from(const nlohmann::json& json) {
  if (json.is_null()) return std::nullopt;
  return FailureLog{json.at("log"), json.at("last_lines"), json.at("hint")};
}

std::string to_text(const Ending& ending) {
  const nlohmann::json json{{"v", 1},
                            {"state", history::name_of(ending.state)},
                            {"reason", ending.outcome.reason},
                            {"exit_code", or_null(ending.outcome.exit_code)},
                            {"signal", or_null(ending.outcome.signal)},
                            {"first_failed_rank", or_null(ending.outcome.first_failed_rank)},
                            {"failure", failure_json(ending.failure)},
                            {"ended_ms", ending.ended_ms}};
  // A reason may quote what a program printed, which is not always UTF-8.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::optional<Ending> ending_from_text(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    const auto state = history::state_named(json.at("state").get<std::string>());
    if (json.at("v") != 1 || !state || !history::is_terminal(*state)) return std::nullopt;
    Ending ending;
    ending.state = *state;
    ending.ended_ms = json.at("ended_ms").get<std::int64_t>();
    ending.failure = failure_from(json.at("failure"));
    ending.outcome.reason = json.at("reason").get<std::string>();
    ending.outcome.exit_code = int_or_null(json.at("exit_code"));
    ending.outcome.signal = int_or_null(json.at("signal"));
    ending.outcome.first_failed_rank = int_or_null(json.at("first_failed_rank"));
    return ending;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

bool keep_room_for_ending(const RunFolder& folder) {
  constexpr off_t room_bytes = 256 << 10;
  const Fd file(::open(folder.owner_lock().c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0, room_bytes) == 0) return true;
  return errno != ENOSPC && errno != EDQUOT;
}

void give_room_back(const RunFolder& folder) {
  const Fd file(::open(folder.owner_lock().c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::ftruncate(file.get(), 0) != 0) return;  // then there is none: what follows is tried all the same
}

void write_ending(const RunFolder& folder, const Ending& ending) {
  try {
    return write_file_durably(folder.state_file(), to_text(ending));
  } catch (const Error&) {
    give_room_back(folder);
  }
  write_file_durably(folder.state_file(), to_text(ending));
}

std::optional<Ending> read_ending(const RunFolder& folder) {
  const auto text = read_file_if_exists(folder.state_file());
  return text ? ending_from_text(*text) : std::nullopt;
}

}  // namespace lockstep::supervise
