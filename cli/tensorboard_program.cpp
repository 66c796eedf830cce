#include "cli/tensorboard_program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "cli/output.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"
#include "launcher/supervise/signals.hpp"

namespace lockstep::cli {

std::optional<fs::path> find_tensorboard() {
  const Environment environment = current_environment();
  const auto path = environment.find("PATH");
  return find_program("tensorboard", path == environment.end() ? "" : path->second);
}

std::vector<std::string> tensorboard_argv(const fs::path& program, const TensorBoardOptions& options) {
  // A run may have two files that grow: its program's, and that of what only the store has.
  std::vector<std::string> argv = {program.string(), "--logdir", options.folder.string(), "--reload_multifile", "true"};
  if (!options.host.empty()) argv.insert(argv.end(), {"--host", options.host});
  if (options.port) argv.insert(argv.end(), {"--port", std::to_string(*options.port)});
  return argv;
}

namespace {

// The child and all that it starts, in a session of its own: Ctrl-C reaches us alone, and we end all of it.
class Child {
 public:
  Child(const fs::path& program, const TensorBoardOptions& options) {
    auto [read_end, write_end] = make_pipe();
    ProgramSpec spec;
    spec.argv = tensorboard_argv(program, options);
    spec.environment = current_environment();
    spec.environment["PYTHONUNBUFFERED"] = "1";
    spec.stdout_fd = spec.stderr_fd = write_end.get();
    spec.new_session = true;
    pid_ = start_program(spec).pid;
    said_ = std::move(read_end);
    ::fcntl(said_.get(), F_SETFL, O_NONBLOCK);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }

  int fd() const { return said_ ? said_.get() : -1; }

  // What it has said since the last call.
  std::string hear() {
    std::string text;
    std::array<char, 4096> buffer{};
    ssize_t got = 0;
    while ((got = ::read(said_.get(), buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    if (got == 0) said_.reset();  // nobody holds the other end
    return text;
  }

  bool has_ended() {
    if (!status_) {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
    }
    return status_.has_value();
  }

 private:
  void end() {
    constexpr std::int64_t patience_ms = 5000;
    ::kill(-pid_, SIGTERM);
    const std::int64_t deadline = monotonic_ms() + patience_ms;
    while (!has_ended() && monotonic_ms() < deadline) supervise::wait_readable({-1}, 20);
    ::kill(-pid_, SIGKILL);
    while (!status_ && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  pid_t pid_ = 0;
  Fd said_;
  std::optional<int> status_;
};

// "TensorBoard 2.21.0 at http://localhost:6006/ (Press CTRL+C to quit)"
std::string url_in(const std::string& said) {
  const auto line = said.find("TensorBoard ");
  if (line == std::string::npos) return "";
  const auto url = said.find("http", line);
  const auto end = said.find_first_of(" \n", url);
  if (url == std::string::npos || end == std::string::npos) return "";
  return said.substr(url, end - url);
}

bool asks_to_end(const std::vector<int>& signals) {
  for (const int signal : signals) {
    if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) return true;
  }
  return false;
}

}  // namespace

int run_tensorboard(const fs::path& program, const TensorBoardOptions& options, const std::function<void()>& refresh) {
  constexpr std::int64_t between_ms = 3000;
  supervise::take_over_signals();
  supervise::SignalFd signals;
  Child child(program, options);
  bool serves = false;
  std::string said;  // before it served
  std::int64_t next_ms = monotonic_ms() + between_ms;
  while (true) {
    const auto left = static_cast<int>(std::max<std::int64_t>(0, next_ms - monotonic_ms()));
    supervise::wait_readable({signals.fd(), child.fd()}, left);
    if (asks_to_end(signals.read())) return static_cast<int>(ExitCode::interrupted);
    const bool ended = child.has_ended();
    const std::string heard = child.fd() < 0 ? "" : child.hear();
    if (serves) {
      fmt::print(stderr, "{}", heard);
    } else {
      said += heard;
      const std::string url = url_in(said);
      serves = !url.empty();
      if (serves) print_text(fmt::format("TensorBoard is at {}\nCtrl-C ends it.\n", url));
    }
    if (ended) throw failure("tensorboard ended by itself{}{}", serves ? "" : ":\n", serves ? "" : said);
    if (monotonic_ms() < next_ms) continue;
    refresh();
    next_ms = monotonic_ms() + between_ms;
  }
}

}  // namespace lockstep::cli
