#include "tests/e2e/sandbox.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include "common/error.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::testing {

static constexpr const char* binary = LOCKSTEP_BINARY_DIR "/bin/lockstep";

Sandbox::Sandbox() : environment(current_environment()) {
  // What a rank of some other run, or the tester's own setting, would leave in here is none of the tests' business.
  std::erase_if(environment, [](const auto& each) {
    return each.first.starts_with("LOCKSTEP_") || each.first.starts_with("OMPI_") || each.first.starts_with("PMIX_");
  });
  for (const char* name : {"NO_COLOR", "COLUMNS", "LC_ALL", "LC_CTYPE"}) environment.erase(name);
  environment["LANG"] = "C.UTF-8";
  environment["TERM"] = "xterm";
  environment["LOCKSTEP_WORKSPACE"] = (folder() / ".lockstep").string();
  environment["LOCKSTEP_RUNTIME_DIR"] = (folder() / "runtime").string();
  environment["LOCKSTEP_CACHE"] = (folder() / "cache").string();
  environment["LOCKSTEP_SLOTS"] = "4";
}

Sandbox::~Sandbox() {
  for (const auto& name : names()) {
    const std::string now = status(name);
    if (now == "Completed" || now == "Failed" || now == "Canceled") continue;
    lockstep({"job", "cancel", name});
    EXPECT_TRUE(wait_for_end(name)) << name;
  }
}

std::string Sandbox::write(const std::string& name, const std::string& text) const {
  fs::create_directories((folder() / name).parent_path());
  write_file_atomically(folder() / name, text);
  return name;
}

ProgramSpec Sandbox::program(const std::vector<std::string>& arguments) const {
  ProgramSpec program;
  program.argv = {binary};
  program.argv.insert(program.argv.end(), arguments.begin(), arguments.end());
  program.environment = environment;
  program.working_folder = folder();
  return program;
}

// A run's supervisor must not hold what its command holds: run_program would wait for it, so its end is seen too.
Answer Sandbox::lockstep(const std::vector<std::string>& arguments) {
  const fs::path out = folder() / ".out";
  const fs::path err = folder() / ".err";
  ProgramSpec spec = program(arguments);
  const Fd out_fd = open_file(out, O_WRONLY | O_CREAT | O_TRUNC);
  const Fd err_fd = open_file(err, O_WRONLY | O_CREAT | O_TRUNC);
  spec.stdout_fd = out_fd.get();
  spec.stderr_fd = err_fd.get();
  const ProcessId process = start_program(spec);
  int status = 0;
  const bool ended =
      wait_until([&] { return ::waitpid(process.pid, &status, WNOHANG) == process.pid; }, std::chrono::seconds(60));
  if (!ended) {
    send_signal(process, SIGKILL);
    ::waitpid(process.pid, &status, 0);
  }
  EXPECT_TRUE(ended) << arguments.front() << " did not end";
  return {ProgramResult{status, ""}.exit_code(), read_file(out), read_file(err)};
}

Answer Sandbox::run(const std::string& job_text, std::vector<std::string> options) {
  options.insert(options.begin(), {"run", write("job-" + std::to_string(files_++) + ".yml", job_text)});
  return lockstep(options);
}

std::string Sandbox::create(const std::string& job_text, std::vector<std::string> options) {
  const std::string file = write("job-" + std::to_string(files_++) + ".yml", job_text);
  options.insert(options.begin(), {"job", "create", "-f", file, "--query", "name", "-o", "tsv"});
  const Answer answer = lockstep(options);
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  return answer.line();
}

nlohmann::json Sandbox::show(const std::string& name) {
  const Answer answer = lockstep({"job", "show", name, "-o", "json"});
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  auto json = nlohmann::json::parse(answer.out, nullptr, false);
  return json.is_object() ? json : nlohmann::json::object();
}

bool Sandbox::wait_for_status(const std::string& name, const std::string& wanted) {
  return wait_until([&] { return status(name) == wanted; }, std::chrono::seconds(40));
}

bool Sandbox::wait_for_end(const std::string& name) {
  return wait_until(
      [&] {
        const std::string now = status(name);
        return now == "Completed" || now == "Failed" || now == "Canceled";
      },
      std::chrono::seconds(60));
}

std::string Sandbox::log_of(const std::string& name, int rank) const {
  return read_file_if_exists(run_folder(name).rank_log(rank)).value_or("");
}

bool Sandbox::wait_for_log(const std::string& name, const std::string& text, int rank) const {
  return wait_until([&] { return log_of(name, rank).find(text) != std::string::npos; }, std::chrono::seconds(40));
}

std::vector<std::string> Sandbox::names() {
  const Answer answer = lockstep({"job", "list", "--include-archived", "--query", "[].name", "-o", "json"});
  if (answer.exit_code != 0) return {};
  return nlohmann::json::parse(answer.out).get<std::vector<std::string>>();
}

TerminalSession::TerminalSession(const Sandbox& sandbox, const std::vector<std::string>& arguments, int columns) {
  const ProgramSpec spec = sandbox.program(arguments);
  std::vector<std::string> variables;
  for (const auto& [key, value] : spec.environment) variables.push_back(key + "=" + value);
  std::vector<char*> argv;
  std::vector<char*> envp;
  argv.reserve(spec.argv.size() + 1);
  envp.reserve(variables.size() + 1);
  for (const auto& each : spec.argv) argv.push_back(const_cast<char*>(each.c_str()));
  for (const auto& each : variables) envp.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  winsize size{};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(columns);
  int terminal = -1;
  pid_ = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (pid_ == 0) {
    if (::chdir(spec.working_folder.c_str()) == 0) ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  terminal_ = Fd(terminal);
}

TerminalSession::~TerminalSession() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool TerminalSession::read_some(int timeout_ms) {
  pollfd ready{terminal_.get(), POLLIN, 0};
  if (::poll(&ready, 1, timeout_ms) <= 0) return true;
  char bytes[4096];
  const ssize_t count = ::read(terminal_.get(), bytes, sizeof bytes);
  if (count <= 0) return false;
  screen_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

bool TerminalSession::wait_for(const std::string& text) {
  return wait_until(
      [&] {
        read_some(10);
        return screen_.find(text) != std::string::npos;
      },
      std::chrono::seconds(40));
}

void TerminalSession::type(const std::string& keys) { write_all(terminal_.get(), keys); }

void TerminalSession::close() { terminal_.reset(); }

int TerminalSession::wait() {
  int status = 0;
  const bool ended = wait_until(
      [&] {
        if (terminal_) read_some(10);
        return ::waitpid(pid_, &status, WNOHANG) == pid_;
      },
      std::chrono::seconds(60));
  EXPECT_TRUE(ended);
  if (!ended) return -1;
  while (terminal_ && read_some(50)) {
    pollfd ready{terminal_.get(), POLLIN, 0};
    if (::poll(&ready, 1, 50) <= 0) break;
  }
  pid_ = 0;
  return ProgramResult{status, ""}.exit_code();
}

}  // namespace lockstep::testing
