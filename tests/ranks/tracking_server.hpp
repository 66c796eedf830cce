// `lockstep serve` over a workspace of its own: stopped, killed and started again at the same port.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/process.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::testing {

class TrackingServerProcess {
 public:
  explicit TrackingServerProcess(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
    start();
  }
  ~TrackingServerProcess() { end(SIGKILL); }
  TrackingServerProcess(const TrackingServerProcess&) = delete;
  TrackingServerProcess& operator=(const TrackingServerProcess&) = delete;

  void start() {
    const fs::path said = folder_ / "said";
    fs::remove(said);
    const Fd output = open_file(said, O_WRONLY | O_CREAT);
    const std::string lockstep = LOCKSTEP_BINARY_DIR "/bin/lockstep";
    ProgramSpec program;
    program.argv = {
        lockstep, "serve", "--workspace", (folder_ / "workspace").string(), "--port", std::to_string(port_)};
    program.environment = current_environment();
    program.stdout_fd = program.stderr_fd = output.get();
    process_ = start_program(program);
    const std::string name = "MLFLOW_TRACKING_URI=";
    std::string text;
    const bool listens = wait_until([&] {
      text = read_file(said);
      const auto at = text.find(name);
      return at != std::string::npos && text.find('\n', at) != std::string::npos;
    });
    if (!listens) throw std::runtime_error("lockstep serve said: " + text);
    const auto at = text.find(name) + name.size();
    url_ = text.substr(at, text.find('\n', at) - at);
    port_ = std::stoi(url_.substr(url_.rfind(':') + 1));
  }
  void end(int signal) {
    if (process_.pid == 0) return;
    ::kill(process_.pid, signal);
    ::waitpid(process_.pid, nullptr, 0);
    process_.pid = 0;
  }
  void signal(int signal) const { ::kill(process_.pid, signal); }
  const std::string& url() const { return url_; }
  fs::path store_file() const { return folder_ / "workspace" / "history.db"; }

 private:
  fs::path folder_;
  ProcessId process_;
  std::string url_;
  int port_ = 0;
};

}  // namespace lockstep::testing
