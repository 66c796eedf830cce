#include "launcher/slurm/allocation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/host_list.hpp"
#include "launcher/slurm/nodes.hpp"
#include "launcher/slurm/reasons.hpp"

namespace lockstep::slurm {

namespace {
constexpr std::chrono::seconds time_to_answer(20);
constexpr std::int64_t time_to_withdraw_ms = 10'000;
constexpr std::int64_t time_to_complete_ms = 40'000;  // Slurm's KillWait, 30 s unless it is set, and some

ProgramResult run(const spec::SlurmEngine& engine, std::vector<std::string> argv) {
  return run_program({.argv = std::move(argv), .environment = environment_for(engine), .working_folder = {}},
                     time_to_answer);
}

std::optional<std::int64_t> number_after(const std::string& line, const std::string& mark) {
  const auto at = line.find(mark);
  if (at == std::string::npos) return std::nullopt;
  std::int64_t value = 0;
  const char* const begin = line.data() + at + mark.size();
  return std::from_chars(begin, line.data() + line.size(), value).ec == std::errc() ? std::optional(value)
                                                                                    : std::nullopt;
}
}  // namespace

Allocation::Allocation(spec::SlurmEngine engine, const Request& request) : engine_(std::move(engine)) {
  auto [read_end, write_end] = make_pipe();
  salloc_ = start_program({.argv = salloc_argv(engine_, request),
                           .environment = environment_for(engine_),
                           .working_folder = {},
                           .stdin_fd = -1,
                           .stdout_fd = write_end.get(),
                           .stderr_fd = write_end.get(),
                           .new_session = true,
                           .ends_with_parent = true});
  said_ = std::move(read_end);
  ::fcntl(said_.get(), F_SETFL, ::fcntl(said_.get(), F_GETFL) | O_NONBLOCK);
}

Allocation::~Allocation() { give_back(); }

void Allocation::add_to(std::vector<pollfd>& waiting) const {
  if (said_) waiting.push_back({said_.get(), POLLIN, 0});
}

void Allocation::hear() {
  std::array<char, 4096> buffer{};
  while (said_) {
    const ssize_t got = ::read(said_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      said_.reset();
      return end_of_salloc();
    }
    line_.append(buffer.data(), static_cast<std::size_t>(got));
    for (auto end = line_.find('\n'); end != std::string::npos; end = line_.find('\n')) {
      understand(line_.substr(0, end));
      line_.erase(0, end + 1);
    }
  }
}

// salloc: Pending job allocation 7 | salloc: Granted job allocation 7 | salloc: error: Job submit/allocate failed: ...
void Allocation::understand(const std::string& line) {
  for (const char* mark : {"Pending job allocation ", "Granted job allocation "}) {
    if (const auto id = number_after(line, mark)) job_id_ = id;
  }
  if (line.find("error:") == std::string::npos && line.find("revoked") == std::string::npos) return;
  last_error_ = line;
  if (const auto word = without_prefix(line); limit_reason(word)) limit_ = word;  // and then that it is violated
}

// With --no-shell it ends well when the nodes are there.
void Allocation::end_of_salloc() {
  int status = 0;
  while (::waitpid(salloc_.pid, &status, 0) < 0 && errno == EINTR) {
  }
  salloc_ = {};
  granted_ = WIFEXITED(status) && WEXITSTATUS(status) == 0 && job_id_;
  if (granted_) return;
  std::string refusal = last_error_.empty() ? "salloc ended without a word" : std::string(without_prefix(last_error_));
  if (const auto limit = limit_reason(limit_))
    refusal += fmt::format(": {} ({})", why_refused(*limit, engine_.qos, engine_.account), limit_);
  refusal_ = std::move(refusal);
}

std::int64_t Allocation::id() const {
  if (!job_id_) throw failure("Slurm has not said which job it is");
  return *job_id_;
}

std::vector<std::string> Allocation::nodes() const {
  const auto asked = run(engine_, {"squeue", "--noheader", "--jobs", std::to_string(id()), "--format=%N"});
  std::string list = asked.output;
  while (!list.empty() && list.back() == '\n') list.pop_back();
  if (asked.exit_code() != 0 || list.empty())
    throw failure("Slurm does not say which nodes job {} has: {}", id(), list);
  return expand_host_list(list);
}

void Allocation::give_back() {
  if (std::exchange(given_back_, true)) return;
  if (salloc_.pid > 0) {  // it withdraws what waits; what it was given meanwhile it says
    ::kill(salloc_.pid, SIGTERM);
    const std::int64_t deadline = monotonic_ms() + time_to_withdraw_ms;
    while (said_ && monotonic_ms() < deadline) {
      pollfd waiting{said_.get(), POLLIN, 0};
      ::poll(&waiting, 1, 200);
      hear();
    }
    if (salloc_.pid > 0) {
      ::kill(salloc_.pid, SIGKILL);
      end_of_salloc();
    }
  }
  if (!job_id_) return;
  for (int tries = 0; tries < 3; ++tries) {  // a controller that is busy; else the job's time limit ends it
    try {
      if (run(engine_, scancel_argv(*job_id_)).exit_code() == 0) return;
    } catch (const Error&) {
      ::poll(nullptr, 0, 500);  // and it is asked again
    }
  }
}

// Also of one that has the partition's GraceTime still: it is RUNNING then.
bool was_preempted(const std::string& job) {
  constexpr std::string_view mark = "PreemptTime=";
  const auto at = job.find(mark);
  const bool has_time = at != std::string::npos && at + mark.size() < job.size() &&
                        std::isdigit(static_cast<unsigned char>(job[at + mark.size()])) != 0;
  return has_time || job.find("JobState=PREEMPTED") != std::string::npos;
}

std::string what_became_of(const spec::SlurmEngine& engine, std::int64_t job_id) {
  struct State {
    const char* word;
    const char* meaning;
  };
  constexpr std::array<State, 4> states = {{{"JobState=TIMEOUT", "reached its time limit"},
                                            {"JobState=NODE_FAIL", "lost a node"},
                                            {"JobState=OUT_OF_MEMORY", "ran out of memory"},
                                            {"JobState=CANCELLED", "was canceled"}}};
  try {
    std::string said;
    // A job that is being ended says why only when its steps are gone.
    for (const std::int64_t deadline = monotonic_ms() + time_to_complete_ms; monotonic_ms() < deadline;) {
      said = run(engine, {"scontrol", "--oneliner", "show", "job", std::to_string(job_id)}).output;
      if (was_preempted(said)) return "was preempted";
      if (said.find("JobState=COMPLETING") == std::string::npos) break;
      ::poll(nullptr, 0, 200);
    }
    for (const auto& each : states) {
      if (said.find(each.word) != std::string::npos) return each.meaning;
    }
    return "";
  } catch (const Error&) {
    return "";  // it does not answer
  }
}

bool is_completing(const spec::SlurmEngine& engine, std::int64_t job_id) {
  try {
    const auto said = run(engine, {"scontrol", "--oneliner", "show", "job", std::to_string(job_id)}).output;
    return said.find("JobState=COMPLETING") != std::string::npos || said.find("JobState=RUNNING") != std::string::npos;
  } catch (const Error&) {
    return false;  // it does not answer, or knows the job no more
  }
}

std::string trouble_of_nodes(const spec::SlurmEngine& engine, std::int64_t job_id) {
  try {
    const auto said = run(engine, {"scontrol", "--oneliner", "show", "job", std::to_string(job_id)}).output;
    constexpr std::string_view mark = " NodeList=";
    const auto at = said.find(mark);
    if (at == std::string::npos) return "";
    const auto begin = at + mark.size();
    const auto names = expand_host_list(said.substr(begin, said.find_first_of(" \n", begin) - begin));
    std::string troubles;
    for (const auto& each : nodes_of(engine)) {
      if (each.state != "unusable" || std::find(names.begin(), names.end(), each.name) == names.end()) continue;
      troubles += fmt::format("{}{}: {}", troubles.empty() ? "" : ", ", each.name, each.reason);
    }
    return troubles;
  } catch (const Error&) {
    return "";  // it does not answer, or says what is no list of nodes
  }
}

void note_request(const fs::path& file, const spec::SlurmEngine& engine, const Request& request) {
  const nlohmann::json note{{"job_name", request.name}, {"config_file", engine.config_file.string()}};
  write_file_durably(file, note.dump() + "\n");
}

void give_back_noted(const fs::path& file) {
  const auto note = nlohmann::json::parse(read_file_if_exists(file).value_or(""), nullptr, false);
  if (!note.is_object()) return;
  const auto text = [&note](const char* key) {
    const auto found = note.find(key);
    return found != note.end() && found->is_string() ? found->get<std::string>() : "";
  };
  if (text("job_name").empty()) return;  // scancel would take it for all jobs
  spec::SlurmEngine engine;
  engine.config_file = text("config_file");
  run_program({.argv = scancel_argv(text("job_name")), .environment = environment_for(engine), .working_folder = {}},
              std::chrono::seconds(5));  // others wait for whoever closes this run
}

}  // namespace lockstep::slurm
