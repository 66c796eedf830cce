#include "launcher/entrypoint/preparation.hpp"

#include <fcntl.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "common/error.hpp"

namespace lockstep::entrypoint {

// As a shell tells it.
static int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

static std::optional<int> known_result(const fs::path& file) {
  const auto text = read_file_if_exists(file, 4096);
  if (!text) return std::nullopt;
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  const auto code = json.is_object() ? json.find("exit_code") : json.end();
  return code != json.end() && code->is_number_integer() ? std::optional(code->get<int>()) : std::nullopt;
}

static int run_logged(const std::string& command, const fs::path& log, const Environment& environment) {
  const Fd output = open_file(log, O_WRONLY | O_CREAT | O_APPEND);
  const ProcessId shell = start_program({.argv = {"bash", "-c", command},
                                         .environment = environment,
                                         .working_folder = {},
                                         .stdout_fd = output.get(),
                                         .stderr_fd = output.get()});
  int status = 0;
  if (::waitpid(shell.pid, &status, 0) != shell.pid) throw system_failure("cannot wait for the preparation");
  return exit_code_of(status);
}

void prepare_once(const std::string& command, const fs::path& folder, const fs::path& log,
                  const Environment& environment) {
  const FileLock lock = FileLock::take(folder / "prepare.lock");
  const fs::path file = folder / "prepared.json";
  auto code = known_result(file);
  if (!code) {
    code = run_logged(command, log, environment);
    write_file_atomically(file, nlohmann::json{{"exit_code", *code}}.dump() + "\n");
  }
  if (*code != 0) throw failure("the preparation of this node failed with exit code {}; see {}", *code, log.string());
}

}  // namespace lockstep::entrypoint
