#include "tests/e2e/run_rig.hpp"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "common/error.hpp"
#include "launcher/processes/stop.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::testing {

using history::RunState;

namespace {
const char* const binaries = LOCKSTEP_BINARY_DIR "/bin";
constexpr supervise::Limits quick{.stop_grace_s = 3, .kill_after_s = 1};

std::string text_of(const fs::path& file) { return read_file_if_exists(file).value_or(""); }

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::istringstream text(text_of(file));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> all;
  std::istringstream text(text_of(fmt::format("/proc/{0}/task/{0}/children", pid)));
  for (pid_t child = 0; text >> child;) all.push_back(child);
  return all;
}
}  // namespace

RunRig::RunRig(int machine_slots) : machine_slots_(machine_slots), workspace_(folder_ / "workspace") {
  ::setenv("LOCKSTEP_RUNTIME_DIR", ledger_folder().c_str(), 1);
  ::setenv("LOCKSTEP_CACHE", (folder_ / "cache").c_str(), 1);
  ::setenv("LOCKSTEP_SLOTS", std::to_string(machine_slots).c_str(), 1);
  // Orphans of killed commands come to us, so that we can see how they ended.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  in_command([&] {
    workspace_.create();
    history::open_sqlite_store(workspace_.store_file());
    return 0;
  });
}

RunRig::~RunRig() {
  for (const pid_t each : commands_) {
    ::kill(each, SIGKILL);
    ::waitpid(each, nullptr, 0);
  }
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

plan::Plan RunRig::command_plan(const std::string& run_id, const std::string& command, int ranks,
                                const Workspace& workspace) {
  spec::CommandJob job;
  job.command = command;
  job.experiment_name = "kill";
  job.folder = folder_.path();
  if (ranks > 0) {
    job.distribution.type = spec::DistributionType::mpi;
    job.distribution.process_count_per_instance = ranks;
  }
  plan::Surroundings surroundings;
  surroundings.run_id = run_id;
  surroundings.run_folder = workspace.run(run_id).root();
  surroundings.cache_folder = folder_ / "cache";
  surroundings.lockstep_program = fs::path(binaries) / "lockstep";
  surroundings.experiment_name = job.experiment_name;
  surroundings.display_name = run_id;
  surroundings.user = "tester";
  surroundings.host_environment = current_environment();
  surroundings.as_root = ::geteuid() == 0;
  return plan::plan(job, plan::LocalCompute{.host_name = "here", .slots = machine_slots_}, surroundings);
}

plan::Plan RunRig::scribe_plan(const std::string& run_id, const Scribe& scribe, const Workspace& workspace) {
  const std::string command =
      fmt::format("exec {}/scribe --ack {} {}", binaries, ack_file(run_id).string(), scribe.options);
  return command_plan(run_id, command, scribe.ranks, workspace);
}

pid_t RunRig::fork_command(const std::string& fault, const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw system_failure("cannot fork");
  if (pid > 0) return pid;
  int code = 2;
  if (!fault.empty()) ::setenv("LOCKSTEP_FAULT", fault.c_str(), 1);
  try {
    code = body();
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
  }
  ::_exit(code);
}

RunRig::Command RunRig::submit(const plan::Plan& plan, const std::string& fault) {
  return submit(plan, workspace_, fault);
}

RunRig::Command RunRig::submit(const plan::Plan& plan, const Workspace& workspace, const std::string& fault) {
  auto [report_read, report_write] = make_pipe();
  Command command;
  command.pid = fork_command(fault, [&, &report = report_write] {
    const supervise::Started started = supervise::submit(workspace, plan, quick);
    write_all(report.get(), {reinterpret_cast<const char*>(&started.supervisor), sizeof started.supervisor});
    report.reset();
    char nothing = 0;
    while (::read(started.ended.get(), &nothing, 1) < 0 && errno == EINTR) {
    }
    int status = 0;
    ::waitpid(started.supervisor.pid, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  });
  report_write.reset();
  commands_.push_back(command.pid);
  ProcessId supervisor;
  if (::read(report_read.get(), &supervisor, sizeof supervisor) == sizeof supervisor) command.supervisor = supervisor;
  return command;
}

int RunRig::wait_for(const Command& command) {
  int status = 0;
  const bool ended =
      wait_until([&] { return ::waitpid(command.pid, &status, WNOHANG) == command.pid; }, std::chrono::seconds(60));
  if (!ended) return still_running;
  std::erase(commands_, command.pid);
  return status;
}

int RunRig::in_command(const std::function<int()>& body, const std::string& fault) {
  int status = -1;
  ::waitpid(fork_command(fault, body), &status, 0);
  return status;
}

int RunRig::close_abandoned(const std::string& fault) {
  const auto close = [&] {
    const auto store = history::open_sqlite_store(workspace_.store_file());
    supervise::close_abandoned_runs(workspace_, *store);
    return 0;
  };
  return in_command(close, fault);
}

pid_t RunRig::start_closing() {
  return fork_command("", [&] {
    const auto store = history::open_sqlite_store(workspace_.store_file());
    return supervise::close_abandoned_runs(workspace_, *store);
  });
}

bool RunRig::wait_until_ended(const std::string& run_id) {
  return wait_until(
      [&] {
        close_abandoned();
        return history::is_terminal(run(run_id).state);
      },
      std::chrono::seconds(60));
}

history::Run RunRig::run(const std::string& run_id) {
  return history::open_sqlite_store(workspace_.store_file())->get_run(run_id);
}

bool RunRig::has_run(const std::string& run_id) {
  try {
    run(run_id);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::vector<RunState> RunRig::states(const std::string& run_id) {
  std::vector<RunState> all;
  for (const auto& each : history::open_sqlite_store(workspace_.store_file())->state_history(run_id)) {
    all.push_back(each.state);
  }
  return all;
}

bool RunRig::wait_for_state(const std::string& run_id, RunState state) {
  return wait_until([&] { return has_run(run_id) && run(run_id).state == state; });
}

void RunRig::request_cancel(const std::string& run_id, const std::string& reason) {
  in_command([&] {
    const auto store = history::open_sqlite_store(workspace_.store_file());
    return supervise::cancel(workspace_, *store, run_id, reason) ? 0 : 1;
  });
}

bool RunRig::wait_until_unowned(const std::string& run_id) {
  const fs::path lock = workspace_.run(run_id).owner_lock();
  return wait_until([&] { return FileLock::try_take(lock).has_value(); });
}

ProcessId RunRig::keeper_of(const Command& command) {
  for (const pid_t child : children_of(command.supervisor.pid)) {
    if (text_of(fmt::format("/proc/{}/comm", child)) == "lockstep-keeper\n") {
      return {child, start_time_of(child).value_or(0)};
    }
  }
  return {};
}

ProcessId RunRig::program_of(const ProcessId& keeper) {
  const auto children = children_of(keeper.pid);
  if (children.empty()) return {};
  return {children.front(), start_time_of(children.front()).value_or(0)};
}

std::vector<ProcessId> RunRig::processes(const std::string& run_id) {
  return processes::processes_of(workspace_.run(run_id), 0, 0);
}

bool RunRig::wait_for_lines(const std::string& run_id, int count) {
  return wait_until([&] { return static_cast<int>(lines_of(ack_file(run_id)).size()) >= count; });
}

std::vector<std::string> RunRig::missing(const std::string& run_id, int ranks) {
  std::map<int, std::set<std::string>> logged;
  std::map<std::string, int> stored;  // "rank step" -> how often
  const auto store = history::open_sqlite_store(workspace_.store_file());
  for (int rank = 0; rank < ranks; ++rank) {
    for (auto& line : lines_of(workspace_.run(run_id).rank_log(rank))) logged[rank].insert(std::move(line));
    for (const auto& metric : store->metric_history(run_id, fmt::format("value_{}", rank))) {
      if (metric.value == static_cast<double>(metric.step)) ++stored[fmt::format("{} {}", rank, metric.step)];
    }
  }
  std::vector<std::string> lost;
  for (const auto& line : lines_of(ack_file(run_id))) {
    std::istringstream words(line);
    std::string what;
    int rank = 0;
    int number = 0;
    words >> what >> rank >> number;
    const bool found = what == "log" ? logged[rank].contains(fmt::format("line {}", number))
                                     : stored[fmt::format("{} {}", rank, number)] == 1;
    if (!found) lost.push_back(line);
  }
  for (const auto& [place, count] : stored) {
    if (count != 1) lost.push_back(fmt::format("{} is stored {} times", place, count));
  }
  return lost;
}

}  // namespace lockstep::testing
