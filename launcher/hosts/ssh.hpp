// Commands on hosts, by the system's own ssh.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "common/process.hpp"
#include "launcher/spec/compute.hpp"

namespace lockstep::hosts {

// What ssh and mpirun are told of the compute's hosts: a file in `folder`, another one when the compute is changed.
// Throws failure when the path has a blank: mpirun takes its ssh's arguments apart at blanks.
fs::path ssh_config_file(const spec::HostsEngine& engine, const fs::path& folder);
void write_ssh_config(const spec::HostsEngine& engine, const fs::path& path);
std::string ssh_config_text(const spec::HostsEngine& engine);

// ssh [OPTION...] ADDRESS WORD...: the words arrive on the host as they are here, whatever shell is there.
std::vector<std::string> ssh_argv(const fs::path& config, const std::string& address,
                                  const std::vector<std::string>& words, const std::vector<std::string>& options = {});

struct Command {
  std::vector<std::string> argv;
  fs::path input = {};  // standard input; empty: none
  Environment environment = current_environment();
  bool keeps_input_open = false;  // nothing comes, and its end is the end of this process or of the command's turn
};
struct Result {
  int exit_code = -1;      // 128 + signal when it was killed
  bool timed_out = false;  // it was killed because its time was over
  std::string output = {};
  std::string errors = {};
};
// All at the same time, each for so long at most; each gives its result in the order of the commands. `canceled` is
// asked a few times a second: when it says true they are killed, and this throws failure("canceled").
std::vector<Result> run_together(const std::vector<Command>& commands, std::chrono::milliseconds limit,
                                 const std::function<bool()>& canceled);

// Why ssh did not come to run a command (exit code 255), with what to do about it.
std::string ssh_trouble(const spec::Host& host, const Result& result);

}  // namespace lockstep::hosts
