// The real command in a folder of its own: own workspace, slots, cache; nothing of the tester's is touched.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/process.hpp"
#include "common/run_folder.hpp"
#include "tests/support/gate.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::testing {

struct Answer {
  int exit_code = -1;
  std::string out;
  std::string err;
  std::string both() const { return out + err; }
  std::string line() const { return out.substr(0, out.find('\n')); }  // the first
};

class Sandbox {
 public:
  Sandbox();
  ~Sandbox();  // cancels what still runs, and waits for it
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // Writes a file into the folder; gives its name, for the commands below start in the folder.
  std::string write(const std::string& name, const std::string& text) const;
  // Runs `lockstep` with these arguments to its end.
  Answer lockstep(const std::vector<std::string>& arguments);
  Answer run(const std::string& job_text,
             std::vector<std::string> options = {});  // lockstep run on a file of this text
  std::string create(const std::string& job_text, std::vector<std::string> options = {});  // the name of the run
  nlohmann::json show(const std::string& name);
  std::string status(const std::string& name) { return show(name).value("status", ""); }
  bool wait_for_status(const std::string& name, const std::string& status);
  bool wait_for_end(const std::string& name);
  std::string log_of(const std::string& name, int rank = 0) const;
  bool wait_for_log(const std::string& name, const std::string& text, int rank = 0) const;
  std::vector<std::string> names();  // of all runs

  fs::path folder() const { return folder_.path(); }
  RunFolder run_folder(const std::string& name) const { return RunFolder(folder() / ".lockstep" / "runs" / name); }
  ProgramSpec program(const std::vector<std::string>& arguments) const;
  Environment environment;  // of the commands; a test may add to it

  // Jobs may wait at a gate until the test lets them go on.
  std::string wait() const { return gate_.wait(); }  // a shell command
  std::string waiting_job() const { return "command: echo ready; " + wait() + "; echo done\n"; }
  void let_one_go() const { gate_.let_one_go(); }

 private:
  TemporaryFolder folder_;
  Gate gate_{folder_ / "gate"};
  int files_ = 0;
};

// The command in a terminal of its own: 24 lines of `columns`.
class TerminalSession {
 public:
  TerminalSession(const Sandbox& sandbox, const std::vector<std::string>& arguments, int columns = 100);
  ~TerminalSession();
  TerminalSession(const TerminalSession&) = delete;
  TerminalSession& operator=(const TerminalSession&) = delete;

  bool wait_for(const std::string& text);                // until it is on the screen
  void type(const std::string& keys);                    // "\x03" is Ctrl-C
  void close();                                          // as a closed window: the terminal hangs up
  int wait();                                            // for the end; the exit code, or 128 + signal
  const std::string& screen() const { return screen_; }  // everything that came, control sequences included

 private:
  bool read_some(int timeout_ms);

  pid_t pid_ = 0;
  Fd terminal_;
  std::string screen_;
};

}  // namespace lockstep::testing
