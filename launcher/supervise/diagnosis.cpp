#include "launcher/supervise/diagnosis.hpp"
#include "launcher/processes/mpirun_report.hpp"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>

#include "common/error.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/entrypoint/preparation.hpp"
#include "launcher/supervise/hints.hpp"
#include "launcher/supervise/log_lines.hpp"

namespace lockstep::supervise {

using processes::rank_end;

namespace {
constexpr std::size_t lines_to_show = 20;
constexpr std::size_t lines_to_search = 200;  // for hints: a traceback is longer than what we show

bool ended_well(const RankEnd& end) { return end.exit_code == 0; }
bool stopped_on_request(const RankEnd& end) { return end.exit_code == static_cast<int>(ExitCode::stopped_early); }
bool known(const RankEnd& end) { return end.exit_code || end.signal; }

const RankEnd* first_where(const std::vector<RankEnd>& ends, bool (*fits)(const RankEnd&)) {
  const auto found = std::find_if(ends.begin(), ends.end(), fits);
  return found == ends.end() ? nullptr : &*found;
}

bool said_nothing(const RunFolder& folder, int rank) {
  std::error_code error;
  const auto size = fs::file_size(folder.rank_log(rank), error);
  return error || size == 0;
}

// Ranks that agree to leave have one that says why, and who is gone first is chance.
int who_says_why(const RunFolder& folder, const std::vector<RankEnd>& ends, const RankEnd& blamed) {
  if (!blamed.exit_code || !said_nothing(folder, blamed.rank)) return blamed.rank;
  for (const RankEnd& each : ends) {
    if (each.exit_code == blamed.exit_code && !said_nothing(folder, each.rank)) return each.rank;
  }
  return blamed.rank;
}

// By what the ranks' ends tell alone.
const RankEnd* earliest_failure(const std::vector<RankEnd>& ends) {
  const auto failed = [](const RankEnd& end) { return known(end) && !ended_well(end) && !stopped_on_request(end); };
  if (const RankEnd* end = first_where(ends, failed)) return end;
  const auto seen_to_end = [](const RankEnd& end) { return !known(end) && !end.unwatched; };
  if (const RankEnd* end = first_where(ends, seen_to_end)) return end;
  const auto unknown = std::count_if(ends.begin(), ends.end(), [](const RankEnd& end) { return !known(end); });
  if (unknown == 1) return first_where(ends, [](const RankEnd& end) { return !known(end); });
  return first_where(ends, stopped_on_request);  // of several unwatched ones none is named: it would be a guess
}

// mpirun ends with the code of the rank that failed first, or 128 + the signal that killed it.
RankEnd end_by_launcher(int rank, int launcher_status) {
  RankEnd end = rank_end(rank, launcher_status, 0);
  if (end.exit_code && *end.exit_code > 128 && *end.exit_code < 128 + NSIG) {
    end.signal = *end.exit_code - 128;
    end.exit_code.reset();
  }
  return end;
}

std::optional<RankEnd> blame(const std::vector<RankEnd>& ends, const processes::MpirunReport& report,
                             std::optional<int> launcher_status) {
  if (report.rank) return RankEnd{*report.rank, report.exit_code, report.signal};
  const RankEnd* earliest = earliest_failure(ends);
  if (earliest == nullptr) return std::nullopt;
  RankEnd end = *earliest;
  // The launcher's own death by a signal tells nothing of the rank.
  if (!known(end) && launcher_status && WIFEXITED(*launcher_status) && *launcher_status != 0) {
    end = end_by_launcher(end.rank, *launcher_status);
  }
  return end;
}

std::string signal_text(int signal) {
  if (signal == SIGKILL) return "signal 9 (out of memory?)";
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("signal {} (SIG{})", signal, name);
}

std::string end_text(const Diagnosis& diagnosis, bool aborted) {
  if (diagnosis.signal) return "was killed by " + signal_text(*diagnosis.signal);
  if (!diagnosis.exit_code) return "ended first, and whoever knew how is gone too";
  const int code = *diagnosis.exit_code;
  if (aborted) return fmt::format("called MPI_Abort with code {}", code);
  if (code > 128 && code < 128 + NSIG) {  // a shell's way to tell of its child
    return fmt::format("ended with exit code {}: its program was killed by {}", code, signal_text(code - 128));
  }
  return fmt::format("ended with exit code {}", code);
}

// The plan's names: of nodes that are slots of one machine "host/1", else "host".
std::string node_name(const Diagnosis& diagnosis, bool several_on_one_host) {
  return several_on_one_host ? fmt::format("{}/{}", diagnosis.host, diagnosis.node) : diagnosis.host;
}

void describe_rank(const RunFolder& folder, Diagnosis& diagnosis, int rank, bool aborted) {
  std::set<int> nodes;
  std::set<std::string> hosts;
  for (const auto& each : entrypoint::read_registrations(folder)) {
    nodes.insert(each.node);
    hosts.insert(each.host);
    if (each.rank != rank) continue;
    diagnosis.node = each.node;
    diagnosis.host = each.host;
  }
  const std::string node =
      diagnosis.host.empty() ? "" : " on " + node_name(diagnosis, nodes.size() > 1 && hosts.size() == 1);
  diagnosis.rank = rank;
  diagnosis.log.file = folder.rank_log(rank).string();
  diagnosis.reason = fmt::format("rank {}{} {}; log: {}", rank, node, end_text(diagnosis, aborted), diagnosis.log.file);
}

void describe_launcher(const RunFolder& folder, Diagnosis& diagnosis, const std::string& trouble,
                       std::optional<int> status) {
  std::string what = "the ranks' launcher is gone, and with it the knowledge of how it ended";
  if (status) {
    const RankEnd end = rank_end(0, *status, 0);
    diagnosis.exit_code = end.exit_code;
    diagnosis.signal = end.signal;
    what = "the ranks' launcher " + end_text(diagnosis, false);
  }
  if (!trouble.empty()) what += ": " + trouble;
  diagnosis.log.file = folder.system_log().string();
  diagnosis.reason = fmt::format("{}; log: {}", what, diagnosis.log.file);
}

// The n of "node-<node>.prepared.json".
std::optional<int> node_of_file(const RunFolder& folder, const fs::path& file) {
  constexpr std::string_view prefix = "node-";
  const std::string name = file.filename().string();
  if (!name.starts_with(prefix)) return std::nullopt;
  int node = -1;
  std::from_chars(name.data() + prefix.size(), name.data() + name.size(), node);
  return node >= 0 && folder.prepared_file(node).filename() == name ? std::optional(node) : std::nullopt;
}

void read_log(Diagnosis& diagnosis, bool aborted) {
  FailureTraces traces{last_lines(diagnosis.log.file, lines_to_search), diagnosis.exit_code, diagnosis.signal, aborted,
                       ""};
  if (const char* path = std::getenv("PATH")) traces.program_path = path;
  diagnosis.log.hint = hint_for(traces);
  const std::size_t shown = std::min(lines_to_show, traces.lines.size());
  diagnosis.log.last_lines.assign(traces.lines.end() - static_cast<std::ptrdiff_t>(shown), traces.lines.end());
}
}  // namespace

std::optional<Diagnosis> diagnose_preparation(const RunFolder& folder) {
  std::vector<entrypoint::NodePreparation> failed;
  std::set<std::string> hosts;
  std::size_t nodes = 0;
  std::error_code error;
  for (fs::directory_iterator each(folder.ranks(), error), end; !error && each != end; each.increment(error)) {
    const auto node = node_of_file(folder, each->path());
    const auto preparation = node ? entrypoint::read_preparation(folder, *node) : std::nullopt;
    if (!preparation) continue;
    ++nodes;
    hosts.insert(preparation->host);
    if (preparation->exit_code.value_or(0) != 0) failed.push_back(*preparation);
  }
  if (failed.empty()) return std::nullopt;
  // Those that were ended because of another count last.
  const auto order = [](const entrypoint::NodePreparation& each) {
    const int signal = each.exit_code.value_or(0) - 128;
    return std::pair(signal == SIGTERM || signal == SIGKILL, each.ended_ms);
  };
  const auto first = *std::min_element(failed.begin(), failed.end(),
                                       [&](const auto& a, const auto& b) { return order(a) < order(b); });
  Diagnosis diagnosis;
  diagnosis.node = first.node;
  diagnosis.host = first.host;
  diagnosis.exit_code = first.exit_code;
  diagnosis.log.file = folder.prepare_log(first.node).string();
  diagnosis.reason =
      fmt::format("the preparation of {} failed with exit code {}; log: {}", node_name(diagnosis, nodes > hosts.size()),
                  first.exit_code.value_or(0), diagnosis.log.file);
  read_log(diagnosis, false);
  return diagnosis;
}

Diagnosis diagnose(const RunFolder& folder, const std::vector<RankEnd>& ends, std::optional<int> launcher_status,
                   std::string_view launcher_text) {
  if (auto unprepared = diagnose_preparation(folder)) return *unprepared;
  const processes::MpirunReport report = processes::parse_mpirun_report(launcher_text);
  Diagnosis diagnosis;
  if (const auto end = blame(ends, report, launcher_status)) {
    diagnosis.exit_code = end->exit_code;
    diagnosis.signal = end->signal;
    describe_rank(folder, diagnosis, who_says_why(folder, ends, *end), report.aborted);
  } else {
    describe_launcher(folder, diagnosis, report.trouble, launcher_status);
  }
  read_log(diagnosis, report.aborted);
  return diagnosis;
}

Diagnosis diagnose_rank(const RunFolder& folder, const RankEnd& end, const std::vector<RankEnd>& ends, bool aborted) {
  Diagnosis diagnosis;
  diagnosis.exit_code = end.exit_code;
  diagnosis.signal = end.signal;
  describe_rank(folder, diagnosis, who_says_why(folder, ends, end), aborted);
  read_log(diagnosis, aborted);
  return diagnosis;
}

std::string Diagnosis::text() const {
  std::string block = reason + "\n";
  if (!log.last_lines.empty()) block += fmt::format("last lines of {}:\n", fs::path(log.file).filename().string());
  for (const auto& line : log.last_lines) block += "  " + line + "\n";
  if (!log.hint.empty()) block += "hint: " + log.hint + "\n";
  return block;
}

}  // namespace lockstep::supervise
