// Starting programs, and looking at processes that run.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/file.hpp"

namespace lockstep {

using Environment = std::map<std::string, std::string>;

Environment current_environment();
std::string value_of(const Environment& environment, const std::string& name);  // "" when it is not there
std::string user_name();  // who runs this process; a number where there is no name

// A process, safe against reuse of its pid: the start time (clock ticks since boot, field 22 of /proc/PID/stat) tells.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_time = 0;
  bool operator==(const ProcessId&) const = default;
};

std::optional<std::uint64_t> start_time_of(pid_t pid);   // nullopt: no such process, or a zombie
bool is_alive(const ProcessId& process);                 // a zombie is not alive
bool send_signal(const ProcessId& process, int signal);  // false: it is gone
ProcessId this_process();

struct ProgramSpec {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH of `environment`
  Environment environment;        // the whole of it, nothing is inherited
  fs::path working_folder;        // empty: ours
  int stdin_fd = -1;              // -1: /dev/null
  int stdout_fd = -1;             // -1: ours
  int stderr_fd = -1;
  bool new_session = false;       // setsid before exec
  bool new_group = false;         // of processes: a time limit ends all of it
  bool ends_with_parent = false;  // TERM when the thread that starts it ends, at whatever moment; else it outlives us
};

// Starts the program. If it can't be executed the child tells through a pipe, and this throws with the true reason
// ("python4: command not found"). The child's signal mask and handlers are the default ones.
ProcessId start_program(const ProgramSpec& program);

struct ProgramResult {
  int status = 0;         // as waitpid gives it
  std::string output;     // stdout and stderr, in the order written
  int exit_code() const;  // 128 + signal when it was killed
};
// Starts, waits, collects. Kills it (and throws) after the time limit.
ProgramResult run_program(ProgramSpec program, std::chrono::milliseconds time_limit = std::chrono::seconds(60));

// The last line of what a program said, which is mostly why it failed; without its end of line.
std::string last_line(std::string_view output);

// The executable that `name` means under this PATH, if there is one. A name with a slash is itself.
std::optional<fs::path> find_program(const std::string& name, const std::string& path);

// PATH with this folder in front, unless it is in there already.
std::string path_with(const std::string& path, const fs::path& folder);

// The path of the program that runs now.
fs::path this_program();

}  // namespace lockstep
