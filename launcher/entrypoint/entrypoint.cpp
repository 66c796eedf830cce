#include "launcher/entrypoint/entrypoint.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>

#include "common/error.hpp"
#include "common/nearest.hpp"
#include "launcher/entrypoint/attend.hpp"
#include "launcher/entrypoint/network.hpp"
#include "launcher/entrypoint/node_folder.hpp"
#include "launcher/entrypoint/preparation.hpp"
#include "launcher/entrypoint/say.hpp"
#include "launcher/entrypoint/sink.hpp"

namespace lockstep::entrypoint {

namespace {
constexpr int cannot_execute = 126;  // the shell's codes
constexpr int not_in_path = 127;

std::string host_name() {
  char name[256] = "";
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "?";
}

std::string path_of(const Environment& environment) {
  const auto found = environment.find("PATH");
  return found == environment.end() ? "/usr/local/bin:/usr/bin:/bin" : found->second;
}

[[noreturn]] void leave(int code, const std::string& message) {
  say(message);
  ::_exit(code);
}

// Nobody stands between a rank and its log: what the rank writes is in the file when write() returns.
void open_log(const RunFolder& folder, int rank) {
  const Fd log = open_file(folder.rank_log(rank), O_WRONLY | O_CREAT | O_APPEND);
  std::fflush(nullptr);
  if (::dup2(log.get(), STDOUT_FILENO) < 0 || ::dup2(log.get(), STDERR_FILENO) < 0) {
    throw system_failure("cannot put " + folder.rank_log(rank).string() + " in place of stdout and stderr");
  }
}

// A group of its own, so that a signal to the rank reaches what it starts, and nobody else.
pid_t lead_a_process_group() {
  if (::getpgrp() != ::getpid()) ::setpgid(0, 0);  // may be refused (a session's leader leads already)
  return ::getpgrp();
}

void join_run(const RunFolder& folder, const RankPlace& place, const Environment& environment) {
  open_log(folder, place.rank);
  Registration registration;
  registration.rank = place.rank;
  registration.node = place.node;
  registration.process_group = lead_a_process_group();
  registration.process = this_process();  // exec keeps both pid and start time
  registration.host = host_name();
  registration.mpi_job = find_mpi_job(environment);
  write_registration(folder, registration);
}

// As execve wants them: ended by a null pointer.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& each : texts) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void become(std::vector<std::string>& argv, const Environment& environment, const std::string& who) {
  const std::string path = path_of(environment);
  const auto program = find_program(argv[0], path);
  if (!program) {
    std::error_code ignored;
    const bool is_path = argv[0].find('/') != std::string::npos;
    if (is_path && fs::exists(argv[0], ignored)) {
      leave(cannot_execute, fmt::format("{}: {}: not executable", who, argv[0]));
    }
    leave(not_in_path, fmt::format("{}: {}: command not found{}", who, argv[0], did_you_mean_program(argv[0], path)));
  }
  std::vector<std::string> variables;
  variables.reserve(environment.size());
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  ::execve(program->c_str(), pointers_to(argv).data(), pointers_to(variables).data());
  const int code = errno;
  const char* reason = std::strerror(code);
  if (code == ENOENT) reason = "its interpreter (the path after #!, or the loader) does not exist";
  if (code == ENOEXEC) reason = "neither a program nor a script with a #! line";
  leave(cannot_execute, fmt::format("{}: cannot execute {}: {}", who, program->string(), reason));
}
}  // namespace

std::string did_you_mean_program(const std::string& name, const std::string& path) {
  std::vector<std::string> known;
  const auto add_folder = [&](const fs::path& folder) {
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      if (find_program(entry->path().string(), "")) known.push_back(entry->path().filename().string());
    }
  };
  const fs::path wanted(name);
  if (wanted.has_parent_path()) {
    add_folder(wanted.parent_path());
  } else {
    for (std::size_t begin = 0; begin <= path.size();) {
      const std::size_t end = std::min(path.find(':', begin), path.size());
      if (end > begin) add_folder(path.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  const auto found = nearest(wanted.filename().string(), known);
  if (!found) return "";
  return fmt::format("; did you mean '{}'?", (wanted.parent_path() / *found).string());
}

// Said once a node, by its first rank.
static void tune_network(const RankPlace& place, Environment& environment) {
  for (const Setting& each : settings_for(look_at_node(environment, place.has_peers), network_table(), environment)) {
    environment[each.name] = each.value;
    if (place.local_rank == 0) say(fmt::format("{}={} ({})", each.name, each.value, each.why));
  }
}

static void prepare(const std::string& command, const RankPlace& place, const Environment& environment) {
  const fs::path folder = node_folder(place, environment);
  const std::string run = value_of(environment, "LOCKSTEP_RUN_DIR");
  const fs::path log = run.empty() ? folder / "prepare.log" : RunFolder(run).prepare_log(place.node);
  prepare_once(command, folder, log, environment);
}

static void prepare_for_job(const std::string& command, const RankPlace& place, const Environment& environment) {
  const std::string run = value_of(environment, "LOCKSTEP_RUN_DIR");
  if (run.empty()) {
    throw bad_input(
        "--job-preparation is for ranks of a run, whose supervisor says when they may begin; use --prepare");
  }
  prepare_for_run(command, RunFolder(run), place.node, host_name(), environment);
}

void become_rank(std::vector<std::string> argv, const Options& options) {
  std::string who = host_name();
  try {
    if (argv.empty()) throw bad_input("no command was given");
    Environment environment = current_environment();
    const RankPlace place = find_place(environment, options);
    who = fmt::format("rank {} on {}", place.rank, who);
    const auto run_folder = environment.find("LOCKSTEP_RUN_DIR");
    const bool in_run = run_folder != environment.end() && !run_folder->second.empty();
    if (in_run) join_run(RunFolder(run_folder->second), place, environment);
    if (in_run) environment["PATH"] = path_with(path_of(environment), this_program().parent_path());  // lockstep-train
    if (place.toolkit != Toolkit::mpi) drop_mpirun_environment(environment);
    if (!options.sink.empty() && !in_run) {
      environment["LOCKSTEP_STOPPABLE_FILE"] = stoppable_file_of_sink(options.sink, place.rank).string();
    }
    add_rank_environment(environment, place);
    tune_network(place, environment);
    if (!options.prepare.empty()) prepare(options.prepare, place, environment);
    if (!options.job_preparation.empty()) prepare_for_job(options.job_preparation, place, environment);
    const auto become_command = [&] { become(argv, environment, who); };
    if (needs_attendance(place, options, environment)) attend(place, options, environment, become_command);
    become_command();
  } catch (const std::exception& error) {
    leave(cannot_execute, fmt::format("{}: {}", who, error.what()));
  }
  ::_exit(cannot_execute);  // become() does not return
}

}  // namespace lockstep::entrypoint
