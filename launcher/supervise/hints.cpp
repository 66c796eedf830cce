#include "launcher/supervise/hints.hpp"

#include <signal.h>

#include <string_view>

#include "common/error.hpp"
#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::supervise {

namespace {
constexpr const char* memory =
    "the machine's memory is full: use a smaller batch, fewer ranks per machine, or fewer data loader workers";
constexpr const char* gpu_memory = "the GPU's memory is full: use a smaller batch, or end what else runs on that GPU";
constexpr const char* port_in_use =
    "another program listens on that port already: end it, or set another MASTER_PORT in environment_variables";
constexpr const char* disk_full = "the disk is full: free space where the run folder lies (or in /tmp, or /dev/shm)";
constexpr const char* quota = "your disk quota is used up: free space, or move the workspace to another disk";
constexpr const char* not_permitted =
    "check the owner and mode of that file; a script needs its executable bit (`chmod +x`), or a call through its "
    "interpreter";

std::string missing_module(const std::string& module, const FailureTraces&) {
  return fmt::format(
      "install the Python package that has '{}' into the environment the ranks run in (`pip install {}`)", module,
      module.substr(0, module.find('.')));
}
std::string missing_command(const std::string& name, const FailureTraces& traces) {
  const std::string near = entrypoint::did_you_mean_program(name, traces.program_path);
  return fmt::format("there is no program '{}' in the PATH of the ranks{}", name, near);
}
std::string missing_file(const std::string& path, const FailureTraces&) {
  return fmt::format(
      "'{}' does not exist where the ranks run; ranks start in the snapshot of `code`, and other data comes as inputs",
      path);
}

// What stands beside a mark in a line: the thing that the failure is about.
std::string word_before(std::string_view line, std::size_t at) {
  const std::size_t blank = at == 0 ? std::string_view::npos : line.find_last_of(" :", at - 1);
  return std::string(line.substr(blank + 1, at - blank - 1));  // npos + 1 is 0
}
std::string name_after(std::string_view line, std::size_t at) {
  constexpr const char* letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";
  if (at < line.size() && line[at] == '\'') ++at;
  return std::string(line.substr(at, line.find_first_not_of(letters, at) - at));
}
std::string quoted_after(std::string_view line, std::size_t at) {
  return std::string(line.substr(at, line.find('\'', at) - at));
}

struct Rule {
  const char* mark;
  const char* advice;  // or, where it depends on a thing in the line:
  std::string (*thing_before)(std::string_view line, std::size_t mark) = nullptr;
  std::string (*thing_after)(std::string_view line, std::size_t end_of_mark) = nullptr;
  std::string (*advice_on)(const std::string& thing, const FailureTraces& traces) = nullptr;
};

// From the particular to the general: the first that fits a line gives the hint.
constexpr Rule rules[] = {
    {"CUDA out of memory", gpu_memory},
    {"CUDA error: out of memory", gpu_memory},
    {"cudaErrorMemoryAllocation", gpu_memory},
    {"MemoryError", memory},
    {"std::bad_alloc", memory},
    {"Cannot allocate memory", memory},
    {"ut of memory", memory},
    {"No module named ", nullptr, nullptr, name_after, missing_module},
    {"ddress already in use", port_in_use},
    {"EADDRINUSE", port_in_use},
    {"No space left on device", disk_full},
    {"Disk quota exceeded", quota},
    {": command not found", nullptr, word_before, nullptr, missing_command},
    {"Permission denied", not_permitted},
    {"not executable", not_permitted},
    {"can't open file '", nullptr, nullptr, quoted_after, missing_file},
    {"No such file or directory: '", nullptr, nullptr, quoted_after, missing_file},
    {": No such file or directory", nullptr, word_before, nullptr, missing_file},
};

std::string hint_in(std::string_view line, const FailureTraces& traces) {
  for (const Rule& rule : rules) {
    const std::size_t at = line.find(rule.mark);
    if (at == std::string_view::npos) continue;
    if (rule.advice != nullptr) return rule.advice;
    const std::string thing = rule.thing_before != nullptr
                                  ? rule.thing_before(line, at)
                                  : rule.thing_after(line, at + std::string_view(rule.mark).size());
    if (!thing.empty()) return rule.advice_on(thing, traces);
  }
  return "";
}

std::string hint_of_signal(int signal) {
  switch (signal) {
    case SIGKILL:
      return std::string("if nobody ran kill -9, the kernel did, for want of memory (see `dmesg`): ") + memory;
    case SIGSEGV:
      return "a segmentation fault is a bug in the program or a library: run it under gdb or with -fsanitize=address";
    case SIGBUS:
      return "often /dev/shm or a disk that ran full under a mapped file: free space there";
    case SIGILL:
      return "the program was built for a CPU with instructions that this one does not have: build it here";
    case SIGFPE:
      return "an integer division by zero, or its like: run it under gdb";
    case SIGABRT:
      return "the program gave up by itself: its last lines say which check failed";
    default:
      return "";
  }
}
}  // namespace

std::string hint_for(const FailureTraces& traces) {
  const bool shell_saw_signal = traces.exit_code && *traces.exit_code > 128 && *traces.exit_code < 128 + NSIG;
  const auto signal = traces.signal      ? traces.signal
                      : shell_saw_signal ? std::optional(*traces.exit_code - 128)
                                         : std::nullopt;
  if (signal == SIGKILL) return hint_of_signal(SIGKILL);  // it came from outside: the log can't know
  for (auto line = traces.lines.rbegin(); line != traces.lines.rend(); ++line) {
    if (std::string hint = hint_in(*line, traces); !hint.empty()) return hint;
  }
  if (signal) return hint_of_signal(*signal);
  if (traces.aborted) return "the program called MPI_Abort: its last lines say why";
  if (traces.exit_code == 127) return "exit code 127 means that a command was not found: check its name and PATH";
  if (traces.exit_code == 126) return "exit code 126 means that a command could not be executed: check its mode";
  return "";
}

}  // namespace lockstep::supervise
