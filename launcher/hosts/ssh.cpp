#include "launcher/hosts/ssh.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <tuple>

#include "common/clock.hpp"
#include "common/digest.hpp"
#include "common/error.hpp"
#include "common/process.hpp"
#include "launcher/plan/references.hpp"

namespace lockstep::hosts {

namespace {
constexpr std::size_t longest_output = std::size_t{1} << 20;
constexpr int tick_ms = 100;

std::string quoted_for_config(const fs::path& path) { return '"' + path.string() + '"'; }

// Takes what is there; closes the descriptor at its end.
void drain(Fd& from, std::string& into) {
  std::array<char, 1 << 14> buffer{};
  const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) return from.reset();
  const std::size_t room = longest_output - std::min(longest_output, into.size());
  into.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
}

class Running {
 public:
  explicit Running(const Command& command) {
    auto [output_read, output_write] = make_pipe();
    auto [errors_read, errors_write] = make_pipe();
    Fd input;
    if (!command.input.empty()) input = open_file(command.input, O_RDONLY);
    if (command.keeps_input_open) std::tie(input, input_end_) = make_pipe();
    process_ = start_program({.argv = command.argv,
                              .environment = command.environment,
                              .working_folder = {},
                              .stdin_fd = input ? input.get() : -1,
                              .stdout_fd = output_write.get(),
                              .stderr_fd = errors_write.get(),
                              .new_session = true});
    output_ = std::move(output_read);
    errors_ = std::move(errors_read);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (process_.pid > 0 && !reaped_) end();
  }

  bool over() const { return !output_ && !errors_; }
  void add_to(std::vector<pollfd>& waiting) const {
    if (output_) waiting.push_back({output_.get(), POLLIN, 0});
    if (errors_) waiting.push_back({errors_.get(), POLLIN, 0});
  }
  void take(int readable) {
    if (output_.get() == readable) drain(output_, result_.output);
    if (errors_.get() == readable) drain(errors_, result_.errors);
  }
  void end() {  // its whole session: `bash -c "tar | ssh"` are three
    ::kill(-process_.pid, SIGKILL);
    ::kill(process_.pid, SIGKILL);
    wait();
  }
  void give_up() {
    result_.timed_out = true;
    end();
  }
  Result result() {
    if (!reaped_) wait();
    return result_;
  }

 private:
  void wait() {
    int status = 0;
    while (::waitpid(process_.pid, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    result_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  ProcessId process_;
  Fd input_end_;  // open, if its standard input is to be
  Fd output_;
  Fd errors_;
  bool reaped_ = false;
  Result result_;
};
}  // namespace

std::string ssh_config_text(const spec::HostsEngine& engine) {
  std::string text = "# What lockstep tells ssh of the hosts of a compute; what is not said here is ~/.ssh/config's.\n";
  std::string all = "Host";
  for (const auto& host : engine.hosts) {
    all += " " + host.address + (host.name == host.address ? "" : " " + host.name);
    if (host.name != host.address) text += fmt::format("Host {}\n  HostName {}\n", host.name, host.address);
  }
  text += all + "\n";
  const auto& ssh = engine.ssh;
  if (!ssh.user.empty()) text += fmt::format("  User {}\n", ssh.user);
  if (ssh.port) text += fmt::format("  Port {}\n", *ssh.port);
  if (!ssh.identity_file.empty()) text += fmt::format("  IdentityFile {}\n", quoted_for_config(ssh.identity_file));
  if (!ssh.strict_host_key_checking.empty()) {
    text += fmt::format("  StrictHostKeyChecking {}\n", ssh.strict_host_key_checking);
  }
  // Nobody is there to answer a question; a host that is cut off is noticed.
  text +=
      "  BatchMode yes\n  ConnectTimeout 10\n  ServerAliveInterval 5\n  ServerAliveCountMax 3\n  LogLevel ERROR\n"
      "Host *\n";
  if (ssh.config_file.empty()) return text + "  Include ~/.ssh/config\n  Include /etc/ssh/ssh_config\n";
  return text + fmt::format("  Include {}\n", quoted_for_config(ssh.config_file));
}

fs::path ssh_config_file(const spec::HostsEngine& engine, const fs::path& folder) {
  const fs::path path = folder / (sha256_hex(ssh_config_text(engine)).substr(0, 16) + ".conf");
  if (path.string().find_first_of(" \t\n") != std::string::npos) {
    throw failure(
        "{} has a blank in its path, at which mpirun would take it apart: set LOCKSTEP_RUNTIME_DIR to a folder "
        "without one",
        path.string());
  }
  return path;
}

void write_ssh_config(const spec::HostsEngine& engine, const fs::path& path) {
  make_own_folder(path.parent_path().parent_path());
  make_own_folder(path.parent_path());
  write_file_atomically(path, ssh_config_text(engine), 0600);
}

std::vector<std::string> ssh_argv(const fs::path& config, const std::string& address,
                                  const std::vector<std::string>& words, const std::vector<std::string>& options) {
  std::vector<std::string> argv{"ssh", "-F", config.string()};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.push_back(address);
  std::string command;
  for (const auto& word : words) command += (command.empty() ? "" : " ") + plan::shell_quoted(word);
  argv.push_back(std::move(command));
  return argv;
}

std::vector<Result> run_together(const std::vector<Command>& commands, std::chrono::milliseconds limit,
                                 const std::function<bool()>& canceled) {
  std::deque<Running> all;
  for (const auto& each : commands) all.emplace_back(each);
  const std::int64_t deadline = monotonic_ms() + limit.count();
  while (true) {
    std::vector<pollfd> waiting;
    for (const auto& each : all) each.add_to(waiting);
    if (waiting.empty()) break;
    if (monotonic_ms() >= deadline) {
      for (auto& each : all) {
        if (!each.over()) each.give_up();
      }
      break;
    }
    ::poll(waiting.data(), waiting.size(), tick_ms);
    for (const auto& ready : waiting) {
      if (ready.revents == 0) continue;
      for (auto& each : all) each.take(ready.fd);
    }
    if (canceled()) throw failure("canceled");
  }
  std::vector<Result> results;
  results.reserve(all.size());
  for (auto& each : all) results.push_back(each.result());
  return results;
}

std::string ssh_trouble(const spec::Host& host, const Result& result) {
  struct Trouble {
    const char* mark;
    const char* remedy;
  };
  constexpr std::array<Trouble, 8> troubles = {{
      {"Could not resolve hostname", "its name is not known here: give its address, or add it to DNS or /etc/hosts"},
      {"Connection refused", "no sshd answers there: start it, or set the port (engine.ssh.port)"},
      {"Connection timed out", "it does not answer: is it up, and does a firewall let ssh through?"},
      {"No route to host", "no way leads there: is it up, and in a network that this machine reaches?"},
      {"Network is unreachable", "no way leads there: is it in a network that this machine reaches?"},
      {"Permission denied",
       "it does not take our key: try `ssh` to it; set engine.ssh.user or engine.ssh.identity_file"},
      {"Host key verification failed",
       "its host key is not known: `ssh` to it once, or say engine.ssh.strict_host_key_checking: accept-new"},
      {"Connection closed by", "its sshd closed the connection: look at its log"},
  }};
  const std::string& said = result.errors;
  for (const auto& each : troubles) {
    if (said.find(each.mark) == std::string::npos) continue;
    return fmt::format("{}: {} ({})", host.name, each.remedy, last_line(said));
  }
  return fmt::format("{}: ssh to it failed: {}", host.name,
                     !last_line(said).empty() ? said
                     : result.timed_out       ? "no answer in time"
                                              : "it said nothing");
}

}  // namespace lockstep::hosts
