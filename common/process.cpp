#include "common/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/clock.hpp"
#include "common/error.hpp"

extern char** environ;

namespace lockstep {

std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

Environment current_environment() {
  Environment all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

std::string user_name() {
  if (const passwd* const entry = ::getpwuid(::geteuid())) return entry->pw_name;
  return std::to_string(::geteuid());
}

std::optional<std::uint64_t> start_time_of(pid_t pid) {
  const int fd = ::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char buffer[1024];
  const ssize_t got = ::read(fd, buffer, sizeof buffer - 1);
  ::close(fd);
  if (got <= 0) return std::nullopt;
  buffer[got] = '\0';
  const char* after_name = std::strrchr(buffer, ')');  // the name may hold blanks and parentheses
  char state = 0;
  unsigned long long start = 0;
  constexpr const char* fields =
      " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu";  // 3 (state) to 22 (start)
  if (after_name == nullptr || std::sscanf(after_name + 1, fields, &state, &start) != 2) return std::nullopt;
  if (state == 'Z' || state == 'X') return std::nullopt;
  return start;
}

bool is_alive(const ProcessId& process) { return start_time_of(process.pid) == process.start_time; }

bool send_signal(const ProcessId& process, int signal) { return is_alive(process) && ::kill(process.pid, signal) == 0; }

ProcessId this_process() { return {::getpid(), start_time_of(::getpid()).value_or(0)}; }

std::string last_line(std::string_view output) {
  while (output.ends_with('\n') || output.ends_with('\r')) output.remove_suffix(1);
  return std::string(output.substr(output.rfind('\n') + 1));
}

std::optional<fs::path> find_program(const std::string& name, const std::string& path) {
  const auto executable = [](const fs::path& candidate) {
    std::error_code ignored;
    return ::access(candidate.c_str(), X_OK) == 0 && !fs::is_directory(candidate, ignored);
  };
  if (name.find('/') != std::string::npos) return executable(name) ? std::optional<fs::path>(name) : std::nullopt;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    std::size_t end = path.find(':', begin);
    if (end == std::string::npos) end = path.size();
    fs::path candidate = fs::path(path.substr(begin, end - begin)) / name;
    if (end > begin && executable(candidate)) return candidate;
    begin = end + 1;
  }
  return std::nullopt;
}

std::string path_with(const std::string& path, const fs::path& folder) {
  const std::string name = folder.string();
  if (name.empty() || (":" + path + ":").find(":" + name + ":") != std::string::npos) return path;
  return path.empty() ? name : name + ":" + path;
}

fs::path this_program() { return fs::read_symlink("/proc/self/exe"); }

namespace {
// Everything the child needs, prepared before fork: after it only async-signal-safe calls are allowed.
struct ExecImage {
  std::string program;
  std::vector<std::string> variables;
  std::vector<char*> argv;
  std::vector<char*> envp;
};

ExecImage make_image(const ProgramSpec& program) {
  if (program.argv.empty()) throw failure("no program to start");
  const auto path = program.environment.find("PATH");
  const auto found = find_program(program.argv[0], path == program.environment.end() ? "/usr/bin:/bin" : path->second);
  if (!found) throw not_found("{}: command not found", program.argv[0]);
  ExecImage image;
  image.program = found->string();
  for (const auto& [name, value] : program.environment) image.variables.push_back(name + "=" + value);
  for (const auto& each : program.argv) image.argv.push_back(const_cast<char*>(each.c_str()));
  for (auto& each : image.variables) image.envp.push_back(each.data());
  image.argv.push_back(nullptr);
  image.envp.push_back(nullptr);
  return image;
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// dup2 that also works when source and target are the same descriptor (then only close-on-exec is cleared).
bool place(int source, int target) {
  if (source < 0) return true;
  if (source == target) return ::fcntl(target, F_SETFD, 0) == 0;
  return ::dup2(source, target) >= 0;
}

// A parent that had ended before the kernel knew of the wish sends no signal any more.
bool end_with(pid_t parent) { return ::prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && ::getppid() == parent; }

[[noreturn]] void run_child(const ProgramSpec& program, const ExecImage& image, pid_t parent, int report_fd) {
  reset_signals();
  if (program.ends_with_parent && !end_with(parent)) ::_exit(127);
  bool ready = !program.new_session || ::setsid() >= 0;
  if (program.new_group) ready = ready && ::setpgid(0, 0) == 0;
  const int input = program.stdin_fd >= 0 ? program.stdin_fd : ::open("/dev/null", O_RDONLY);
  ready = ready && place(input, 0) && place(program.stdout_fd, 1) && place(program.stderr_fd, 2);
  if (ready && !program.working_folder.empty()) ready = ::chdir(program.working_folder.c_str()) == 0;
  if (ready) ::execve(image.program.c_str(), image.argv.data(), image.envp.data());
  const int code = errno;
  [[maybe_unused]] const ssize_t put = ::write(report_fd, &code, sizeof code);
  ::_exit(127);
}
}  // namespace

ProcessId start_program(const ProgramSpec& program) {
  const ExecImage image = make_image(program);
  auto [report_read, report_write] = make_pipe();
  const pid_t self = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw system_failure("cannot start a process");
  if (pid == 0) run_child(program, image, self, report_write.get());
  report_write.reset();
  int code = 0;
  ssize_t got = 0;
  do got = ::read(report_read.get(), &code, sizeof code);  // ends by exec's close-on-exec or by the report
  while (got < 0 && errno == EINTR);
  if (got == sizeof code) {
    ::waitpid(pid, nullptr, 0);
    throw failure("cannot start {} in {}: {}", image.program,
                  program.working_folder.empty() ? "." : program.working_folder.string(), std::strerror(code));
  }
  return {pid, start_time_of(pid).value_or(0)};
}

int ProgramResult::exit_code() const { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

ProgramResult run_program(ProgramSpec program, std::chrono::milliseconds time_limit) {
  auto [read_end, write_end] = make_pipe();
  program.stdout_fd = program.stderr_fd = write_end.get();
  const ProcessId child = start_program(program);
  write_end.reset();
  ProgramResult result;
  const std::int64_t deadline = monotonic_ms() + time_limit.count();
  char buffer[1 << 14];
  while (true) {
    pollfd waiting{read_end.get(), POLLIN, 0};
    const std::int64_t left = deadline - monotonic_ms();
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) == 0) {
      if (program.new_group) ::kill(-child.pid, SIGKILL);
      ::kill(child.pid, SIGKILL);
      ::waitpid(child.pid, nullptr, 0);
      throw failure("{} took longer than {}; its output so far:\n{}", program.argv[0],
                    duration_text(time_limit.count()), result.output);
    }
    const ssize_t got = ::read(read_end.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    result.output.append(buffer, static_cast<std::size_t>(got));
  }
  while (::waitpid(child.pid, &result.status, 0) < 0 && errno == EINTR) {
  }
  return result;
}

}  // namespace lockstep
