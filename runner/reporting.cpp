#include "runner/reporting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "common/clock.hpp"
#include "runner/end_signals.hpp"

namespace lockstep::runner {

namespace report = history::report;
using report::Report;

namespace {
std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The supervisor of a run takes the journals itself; the run that its endpoint stands for is this one.
bool launcher_reports(const Places& places) {
  return places.run && variable("MLFLOW_RUN_ID") == variable("LOCKSTEP_RUN_ID");
}

std::int64_t milliseconds(double seconds) { return static_cast<std::int64_t>(seconds * 1000); }

fs::path lock_file(const fs::path& folder) { return folder / "report.lock"; }

Report new_report(const Options& options, const std::string& uri) {
  Report report;
  report.id = report::new_report_id();
  report.tracking_uri = uri;
  report.experiment_id = variable("MLFLOW_EXPERIMENT_ID");
  report.experiment_name = variable("MLFLOW_EXPERIMENT_NAME");
  report.run_name = variable("MLFLOW_RUN_NAME");
  if (report.run_name.empty()) report.run_name = options.model;
  report.run_id = variable("MLFLOW_RUN_ID");
  report.started_ms = now_ms();
  return report;
}

// Whether a training goes on with the run of the one before it in this folder.
bool goes_on_with(const Report& last, const Options& options, const std::string& uri, bool resumed) {
  const std::string run_id = variable("MLFLOW_RUN_ID");
  if (last.tracking_uri != uri || (!run_id.empty() && last.run_id != run_id)) return false;
  if (options.resume == "none" || last.state == "FINISHED") return false;
  return resumed || last.state == "RUNNING";  // RUNNING: it was killed, perhaps before its first checkpoint
}

// What journals hold by now is not this training's.
void begin_here(Report& report, const fs::path& folder, int ranks) {
  for (int rank = 0; rank < ranks; ++rank) {
    const std::int64_t next = history::next_sequence_in(report::journal_file(folder, rank));
    report.journals.try_emplace(rank, report::JournalShare{{next, 0}, std::nullopt});
  }
}

void end_here(Report& report, const fs::path& folder) {
  for (auto& [rank, share] : report.journals) {
    if (!share.end) share.end = history::next_sequence_in(report::journal_file(folder, rank));
  }
}

std::pair<int, Report> choose_report(const Options& options, const fs::path& folder, const std::string& uri, int ranks,
                                     bool resumed, TrainingLog& log) {
  auto reports = report::read_reports(folder);
  int number = 1;
  if (!reports.empty()) {
    auto& [last_number, last] = *reports.rbegin();
    number = last_number + 1;
    if (goes_on_with(last, options, uri, resumed)) {
      last.state = "RUNNING";
      begin_here(last, folder, ranks);  // of ranks that are new
      return {last_number, last};
    }
    end_here(last, folder);
    report::write_report(folder, last_number, last);
    if (!report::is_complete(folder, last)) {
      log.note(fmt::format("an earlier training in {} is not all reported: lockstep-train --report only --journal {}",
                           folder.string(), folder.string()));
    }
  }
  Report report = new_report(options, uri);
  begin_here(report, folder, ranks);
  return {number, std::move(report)};
}

// What is not at the server, and what to do about it.
std::string rest_line(report::Sender& sender, const fs::path& folder) {
  const std::int64_t left = sender.count_unsent_metrics();
  const report::Delivery& delivery = sender.delivery();
  return fmt::format("{} values in {} are not at {}{}; to send them: lockstep-train --report only --journal {}", left,
                     folder.string(), delivery.shown_uri(),
                     delivery.report().state == "RUNNING" ? "" : ", nor is the run's end", folder.string());
}
}  // namespace

Reporting::Reporting(FileLock lock, report::Assignment assignment, double wait_s, TrainingLog& log)
    : lock_(std::move(lock)), folder_(assignment.folder), wait_s_(wait_s), log_(log), sender_(std::move(assignment)) {
  catch_end_signals();
}

Reporting::~Reporting() { release_end_signals(); }

void Reporting::finish(const std::string& state) {
  constexpr double longest_after_failure_s = 5;  // whoever stops or waits for the ranks has little patience then
  const double wait_s = state == "FINISHED" ? wait_s_ : std::min(wait_s_, longest_after_failure_s);
  const bool complete = sender_.finish(state, milliseconds(wait_s));
  log_.show_aside();
  try {
    if (!complete) log_.note(rest_line(sender_, folder_));
  } catch (const std::exception& error) {  // a training does not fail with what it can't report
    log_.note(fmt::format("not all is reported, and the journals can't be read: {}", error.what()));
  }
  const std::int64_t refused = sender_.delivery().refused();
  if (refused > 0) log_.note(fmt::format("{} values were refused by {}", refused, sender_.delivery().shown_uri()));
}

std::unique_ptr<Reporting> start_reporting(const Options& options, const Places& places, int ranks, bool resumed,
                                           TrainingLog& log) {
  if (options.report == "none" || !report::is_server_address(variable("MLFLOW_TRACKING_URI")) ||
      launcher_reports(places)) {
    return nullptr;
  }
  report::Assignment assignment;
  assignment.server = report::settings_of_environment();
  assignment.folder = places.journal_folder;
  assignment.say = [&log](const std::string& line) { log.aside().add(line); };
  assignment.interrupted = end_signal_came;
  assignment.leave = end_by_signal;
  try {
    auto lock = FileLock::try_take(lock_file(assignment.folder));
    if (!lock) throw failure("another process reports from {}", assignment.folder.string());
    std::tie(assignment.number, assignment.report) = choose_report(
        options, assignment.folder, report::without_credentials(assignment.server.uri), ranks, resumed, log);
    return std::make_unique<Reporting>(std::move(*lock), std::move(assignment), options.report_wait_s, log);
  } catch (const std::exception& error) {
    log.note(fmt::format("nothing is reported: {}", error.what()));
    return nullptr;
  }
}

// Journals that no training has reported: one run for all of them.
static Report report_of_all_journals(const Options& options, const fs::path& folder, const std::string& uri) {
  Report report = new_report(options, uri);
  for (const int rank : report::ranks_with_journals(folder)) report.journals[rank] = {};
  if (report.journals.empty()) throw not_found("no journal is in {}", folder.string());
  report.state = "FINISHED";
  report.ended_ms = now_ms();
  return report;
}

ExitCode report_what_is_left(const Options& options) {
  const fs::path folder = find_places(options).journal_folder;
  report::Assignment assignment;
  assignment.server = report::settings_of_environment();
  assignment.folder = folder;
  assignment.say = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
  const std::string uri = report::without_credentials(assignment.server.uri);
  if (!fs::is_directory(folder)) throw not_found("there is no folder {}", folder.string());
  const auto lock = FileLock::try_take(lock_file(folder));
  if (!lock) throw failure("another process reports from {}", folder.string());
  auto reports = report::read_reports(folder);
  if (reports.empty()) reports[1] = report_of_all_journals(options, folder, uri);
  bool all = true;
  for (const auto& [number, each] : reports) {
    if (report::is_complete(folder, each)) continue;
    if (each.tracking_uri != uri) {
      fmt::print(stderr, "report-{}.json belongs to {}\n", number, each.tracking_uri);
      all = false;
      continue;
    }
    assignment.number = number;
    assignment.report = each;
    report::Sender sender(assignment);
    if (sender.finish(each.state, milliseconds(options.report_wait_s), true)) continue;
    fmt::print(stderr, "{}\n", rest_line(sender, folder));
    all = false;
  }
  return all ? ExitCode::done : ExitCode::failed;
}

}  // namespace lockstep::runner
