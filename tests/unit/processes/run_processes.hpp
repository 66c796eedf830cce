// Real processes of a pretended run, for tests; none outlives its test.
#pragma once

#include <signal.h>
#include <sys/wait.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/process.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/processes/stop.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::processes {

class RunProcesses {
 public:
  explicit RunProcesses(const std::string& name)
      : folder_(temporary_ / (name + "_" + std::to_string(this_process().start_time) + std::to_string(::getpid()))) {
    folder_.create();
  }
  RunProcesses(const RunProcesses&) = delete;
  RunProcesses& operator=(const RunProcesses&) = delete;
  ~RunProcesses() {
    kill_all(folder_, 0, 0, 20'000);
    for (const ProcessId& each : children_) {
      if (is_alive(each)) ::kill(-each.pid, SIGKILL);  // each leads its session, so its group too
      ::waitpid(each.pid, nullptr, 0);
    }
  }

  std::string id() const { return folder_.run_id(); }
  const RunFolder& folder() const { return folder_; }
  fs::path operator/(const std::string& name) const { return temporary_ / name; }

  Environment environment() const {
    Environment all = current_environment();
    entrypoint::drop_rank_environment(all);
    all["LOCKSTEP_RUN_ID"] = id();
    all["LOCKSTEP_RUN_DIR"] = folder_.root().string();
    all["OMPI_ALLOW_RUN_AS_ROOT"] = all["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
    return all;
  }

  // In a session of its own, its working folder is ours.
  ProcessId start(std::vector<std::string> argv, const Environment& environment) {
    children_.push_back(start_program({.argv = std::move(argv),
                                       .environment = environment,
                                       .working_folder = temporary_.path(),
                                       .stdin_fd = -1,
                                       .stdout_fd = -1,
                                       .stderr_fd = -1,
                                       .new_session = true}));
    return children_.back();
  }
  ProcessId bash(const std::string& script) { return start({"bash", "-c", script}, environment()); }

  // The first line of a file of our folder, when a process has written it.
  std::string line_of(const std::string& name) const {
    std::string text;
    lockstep::testing::wait_until([&] {
      text = read_file_if_exists(temporary_ / name).value_or("");
      return text.find('\n') != std::string::npos;
    });
    return text.substr(0, text.find('\n'));
  }
  // The process whose pid is in that file.
  ProcessId process_in(const std::string& name) const {
    const pid_t pid = std::stoi("0" + line_of(name));
    return {pid, start_time_of(pid).value_or(0)};
  }

  // Waits for a child of ours, gives waitpid's status.
  int status_of(const ProcessId& child) {
    int status = 0;
    ::waitpid(child.pid, &status, 0);
    std::erase(children_, child);
    return status;
  }

 private:
  lockstep::testing::TemporaryFolder temporary_;
  RunFolder folder_;
  std::vector<ProcessId> children_;
};

inline bool ends(const ProcessId& process) {
  return lockstep::testing::wait_until([&] { return !is_alive(process); });
}

}  // namespace lockstep::processes
