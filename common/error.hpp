// Errors that end a command: what to print and which exit code to leave with.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

// The exit codes of every Lockstep program (style.md's table).
enum class ExitCode : int {
  done = 0,
  failed = 1,          // the run failed or was canceled, or the command could not do its work
  bad_input = 2,       // wrong usage or bad input; nothing was created
  not_found = 3,       // the named thing does not exist
  stopped_early = 75,  // stopped on request, saved, resumable
  interrupted = 130,   // ended by Ctrl-C
};

// An error with a message for a person (what, where, which rank, what to do next) and the exit code it ends with.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

template <class... Args>
Error failure(fmt::format_string<Args...> format, Args&&... args) {
  return {ExitCode::failed, fmt::format(format, std::forward<Args>(args)...)};
}
template <class... Args>
Error bad_input(fmt::format_string<Args...> format, Args&&... args) {
  return {ExitCode::bad_input, fmt::format(format, std::forward<Args>(args)...)};
}
template <class... Args>
Error not_found(fmt::format_string<Args...> format, Args&&... args) {
  return {ExitCode::not_found, fmt::format(format, std::forward<Args>(args)...)};
}
// Runs `work`; an Error that comes out of it says first what it was for: "<purpose>: <message>".
template <class Work>
auto with_purpose(const std::string& purpose, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const Error& error) {
    throw Error(error.code(), purpose + ": " + error.what());
  }
}

// "<what>: <strerror(errno)>", read before anything else can change errno.
Error system_failure(const std::string& what);

// One mistake in an input file. Lines and columns count from 1; 0 means the whole file.
struct Diagnostic {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;

  std::string text() const;  // file:line:column: message
};

// All mistakes of one input, in the order of their places. what() has one per line.
class InputErrors : public Error {
 public:
  explicit InputErrors(std::vector<Diagnostic> all);
  const std::vector<Diagnostic>& all() const { return all_; }

 private:
  std::vector<Diagnostic> all_;
};

}  // namespace lockstep
