#include "launcher/entrypoint/preparation.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "common/clock.hpp"
#include "common/error.hpp"

namespace lockstep::entrypoint {

namespace {
constexpr std::size_t longest_preparation_file = 4096;
constexpr int between_looks_for_begin_ms = 20;

// As a shell tells it.
int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

std::optional<int> known_result(const fs::path& file) {
  const auto text = read_file_if_exists(file, longest_preparation_file);
  if (!text) return std::nullopt;
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  const auto code = json.is_object() ? json.find("exit_code") : json.end();
  return code != json.end() && code->is_number_integer() ? std::optional(code->get<int>()) : std::nullopt;
}

int run_logged(const std::string& command, const fs::path& log, const Environment& environment) {
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

void check_result(int code, const fs::path& log) {
  if (code != 0) throw failure("the preparation of this node failed with exit code {}; see {}", code, log.string());
}

std::int64_t number_or_zero(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}
}  // namespace

void prepare_once(const std::string& command, const fs::path& folder, const fs::path& log,
                  const Environment& environment) {
  const FileLock lock = FileLock::take(folder / "prepare.lock");
  const fs::path file = folder / "prepared.json";
  auto code = known_result(file);
  if (!code) {
    code = run_logged(command, log, environment);
    write_file_atomically(file, nlohmann::json{{"exit_code", *code}}.dump() + "\n");
  }
  check_result(*code, log);
}

void prepare_for_run(const std::string& command, const RunFolder& folder, int node, const std::string& host,
                     const Environment& environment) {
  make_own_folder(folder.node(node));
  const fs::path log = folder.prepare_log(node);
  {
    const FileLock lock = FileLock::take(folder.node(node) / "job-preparation.lock");
    NodePreparation ours = read_preparation(folder, node).value_or(NodePreparation{});
    if (!ours.exit_code) {  // one that was killed on the way is begun again
      ours = {node, host, std::nullopt, now_ms(), 0};
      write_file_atomically(folder.prepared_file(node), to_text(ours));
      ours.exit_code = run_logged(command, log, environment);
      ours.ended_ms = now_ms();
      write_file_atomically(folder.prepared_file(node), to_text(ours));
    }
    check_result(*ours.exit_code, log);
  }
  std::error_code unseen;  // a file system that does not answer now
  while (!fs::exists(folder.begin_file(), unseen)) ::poll(nullptr, 0, between_looks_for_begin_ms);
}

std::string to_text(const NodePreparation& preparation) {
  const nlohmann::json json{
      {"node", preparation.node},
      {"host", preparation.host},
      {"exit_code", preparation.exit_code ? nlohmann::json(*preparation.exit_code) : nlohmann::json(nullptr)},
      {"begun_ms", preparation.begun_ms},
      {"ended_ms", preparation.ended_ms}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::optional<NodePreparation> preparation_from_text(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const std::int64_t node = number_or_zero(json, "node");
  if (!json.contains("node") || node < 0 || node > std::numeric_limits<int>::max()) return std::nullopt;
  NodePreparation preparation;
  preparation.node = static_cast<int>(node);
  if (const auto host = json.find("host"); host != json.end() && host->is_string()) {
    preparation.host = host->get<std::string>();
  }
  if (json.contains("exit_code") && json["exit_code"].is_number_integer()) {
    preparation.exit_code = static_cast<int>(number_or_zero(json, "exit_code") & 0xFF);
  }
  preparation.begun_ms = number_or_zero(json, "begun_ms");
  preparation.ended_ms = number_or_zero(json, "ended_ms");
  return preparation;
}

std::optional<NodePreparation> read_preparation(const RunFolder& folder, int node) {
  try {
    const auto text = read_file_if_exists(folder.prepared_file(node), longest_preparation_file);
    return text ? preparation_from_text(*text) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace lockstep::entrypoint
