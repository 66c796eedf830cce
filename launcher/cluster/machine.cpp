#include "launcher/cluster/machine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/process.hpp"
#include "launcher/cluster/daemons.hpp"
#include "launcher/slurm/fields.hpp"
#include "launcher/spec/key_checks.hpp"

namespace lockstep::cluster {

namespace {
constexpr std::int64_t first_pause_ms = 1000;
constexpr std::int64_t longest_pause_ms = 60'000;

}  // namespace

Machine::Machine(const autoscale::SlurmFolder& folder, const autoscale::ScaledNodes& owner, std::string node)
    : folder_(folder), owner_(owner), node_(std::move(node)) {}

std::string Machine::create() {
  const FileLock lock = FileLock::take(folder_.node_lock(node_));
  write_file_durably(folder_.made_file(node_), "");
  std::string output;
  const std::string problem = repeat("created", owner_.provider.create, output);
  if (problem.empty()) take_address(output);
  return problem;
}

std::string Machine::remove() {
  const FileLock lock = FileLock::take(folder_.node_lock(node_));
  if (!fs::exists(folder_.made_file(node_))) return "";
  std::string output;
  const std::string problem = repeat("deleted", owner_.provider.remove, output);
  if (problem.empty()) fs::remove(folder_.made_file(node_));
  return problem;
}

std::string Machine::repeat(const std::string& what, const std::string& command, std::string& output) {
  const std::int64_t deadline = monotonic_ms() + std::int64_t{owner_.provider.timeout_s} * 1000;
  std::int64_t pause_ms = first_pause_ms;
  std::string problem;
  for (int tries = 1; tries <= owner_.provider.tries; ++tries) {
    problem = try_command(command, deadline, output);
    note(problem.empty() ? what
                         : fmt::format("not {} (try {} of {}): {}", what, tries, owner_.provider.tries, problem));
    const std::int64_t left = deadline - monotonic_ms();
    if (problem.empty() || tries == owner_.provider.tries || left <= pause_ms) break;
    ::poll(nullptr, 0, static_cast<int>(pause_ms));
    pause_ms = std::min(2 * pause_ms, longest_pause_ms);
  }
  return problem;
}

std::string Machine::try_command(const std::string& command, std::int64_t deadline_ms, std::string& output) {
  Environment environment = environment_for(ClusterFolder(folder_.root()), current_environment());
  environment["LOCKSTEP_NODE"] = node_;
  environment["LOCKSTEP_COMPUTE"] = owner_.compute;
  environment["LOCKSTEP_SIZE"] = owner_.size;
  environment["LOCKSTEP_TIER"] = owner_.low_priority ? "low_priority" : "dedicated";
  environment["LOCKSTEP_CORES"] = std::to_string(owner_.cores);
  environment["LOCKSTEP_MEMORY_MB"] = std::to_string(owner_.memory_mb);
  const std::int64_t left_ms = std::max<std::int64_t>(deadline_ms - monotonic_ms(), 1);
  try {
    const auto result = run_program(
        {.argv = {"sh", "-c", command}, .environment = environment, .working_folder = "/", .new_group = true},
        std::chrono::milliseconds(left_ms));
    output = result.output;
    if (!output.empty()) note(output);
    if (result.exit_code() == 0) return "";
    const std::string said = last_line(output);
    return fmt::format("exit code {}{}{}", result.exit_code(), said.empty() ? "" : ": ", said);
  } catch (const Error& error) {
    output.clear();
    note(error.what());
    const std::string said = error.what();
    return said.substr(0, said.find(';'));
  }
}

// A line `address=10.0.0.5` of the command's, for nodes whose names nobody resolves.
void Machine::take_address(const std::string& output) const {
  constexpr std::string_view mark = "address=";
  std::string address;
  for (const auto line : slurm::split(output, '\n')) {
    if (line.starts_with(mark)) address = last_line(line.substr(mark.size()));  // without a carriage return
  }
  if (address.empty() || !spec::check_host(address).empty()) return;
  update_node(folder_, node_, {"nodeaddr=" + address, "nodehostname=" + address});
}

void note_of_node(const autoscale::SlurmFolder& folder, const std::string& node, const std::string& text) {
  const fs::path path = folder.node_log(node);
  fs::create_directories(path.parent_path());
  const Fd file = open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0640);
  write_all(file.get(), fmt::format("{} {}{}", iso8601(now_ms()), text, text.ends_with('\n') ? "" : "\n"));
}

void update_node(const autoscale::SlurmFolder& folder, const std::string& node, const std::vector<std::string>& words) {
  std::vector<std::string> argv{"scontrol", "update", "nodename=" + node};
  argv.insert(argv.end(), words.begin(), words.end());
  ask_slurm(environment_for(ClusterFolder(folder.root()), current_environment()), std::move(argv));
}

}  // namespace lockstep::cluster
