#include "cli/summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "cli/loss_curve.hpp"
#include "cli/text_table.hpp"
#include "common/clock.hpp"
#include "history/sink/metric_names.hpp"
#include "launcher/supervise/supervisor.hpp"

namespace lockstep::cli {

using history::RunState;

// What single ranks (rank-3/step_time_ms) and machines (system/cpu_...) measured is counted, not shown: there may be
// hundreds of them.
static bool speaks_for_the_run(const std::string& key) {
  return !key.starts_with("rank-") && !key.starts_with("system/") && key != history::metric::save_seconds &&
         key != supervise::stop_seconds;
}

std::string curve_metric(const JobDetails& details, history::Store& store) {
  const auto drawable = [&](const std::string& key) {
    return store.metric_history(details.run.run_id, key).size() > 2;
  };
  const auto has = [&](const std::string& key) {
    return std::any_of(details.metrics.begin(), details.metrics.end(),
                       [&](const auto& each) { return each.key == key; });
  };
  if (has("train_loss") && drawable("train_loss")) return "train_loss";
  for (const auto& metric : details.metrics) {
    if (speaks_for_the_run(metric.key) && drawable(metric.key)) return metric.key;
  }
  return "";
}

static std::string curve(const JobDetails& details, history::Store& store, const Terminal& terminal) {
  const std::string key = curve_metric(details, store);
  if (key.empty()) return "";
  CurveSize size;
  size.columns = std::min(terminal.width - 1, 80);
  size.utf8 = terminal.utf8;
  return draw_curve(key, store.metric_history(details.run.run_id, key), size);
}

static std::string metrics_line(const std::vector<history::Metric>& metrics) {
  constexpr std::size_t most = 12;
  std::vector<std::string> shown;
  for (const auto& metric : metrics) {
    if (shown.size() == most || !speaks_for_the_run(metric.key)) continue;
    shown.push_back(fmt::format("{} {:.5g}", metric.key, metric.value));
  }
  const std::size_t rest = metrics.size() - shown.size();
  if (shown.empty()) return fmt::format("{} of the system", rest);
  if (rest > 0) shown.push_back(fmt::format("and {} more", rest));
  return fmt::format("{}", fmt::join(shown, ", "));
}

static std::int64_t time_of(const JobDetails& details, RunState state) {
  for (const auto& change : details.changes) {
    if (change.state == state) return change.timestamp_ms;
  }
  return 0;
}

static std::string duration_words(const JobDetails& details) {
  const auto& run = details.run;
  if (run.started_ms == 0) return "it never ran";
  std::string text = duration_text(duration_ms(run, run.ended_ms));
  const std::int64_t queued = time_of(details, RunState::queued);
  const std::int64_t preparing = time_of(details, RunState::preparing);
  if (queued != 0 && preparing - queued >= 1000)
    text += fmt::format(" (queued {} before)", duration_text(preparing - queued));
  return text;
}

static std::string failure_text(const supervise::FailureLog& failure, std::optional<int> rank) {
  if (failure.last_lines.empty()) return "";
  std::string text = rank ? fmt::format("The last lines of rank {}, from {}:\n", *rank, failure.file)
                          : fmt::format("The last lines of {}:\n", failure.file);
  for (const auto& line : failure.last_lines) text += fmt::format("  | {}\n", line);
  return text + "\n";
}

static std::vector<std::string> next_steps(const JobDetails& details, const RunFolder& folder) {
  const std::string& name = details.run.run_id;
  std::vector<std::string> steps;
  if (details.run.state == RunState::failed && details.run.outcome.first_failed_rank) {
    steps.push_back(fmt::format("lockstep job stream {} --rank {}", name, *details.run.outcome.first_failed_rank));
  }
  steps.push_back(fmt::format("lockstep job show {}", name));
  std::error_code ignored;
  if (fs::exists(folder.outputs(), ignored) && !fs::is_empty(folder.outputs(), ignored)) {
    steps.push_back(fmt::format("lockstep job download {}", name));
  }
  if (details.run.state == RunState::completed) steps.emplace_back("lockstep job list");
  return steps;
}

// "2 times; 12 steps were done again"; "" of a run whose nodes were not taken away.
static std::string preemption_words(const JobDetails& details) {
  const auto tag = [&](const std::string& key) -> std::string {
    const auto found = std::find_if(details.tags.begin(), details.tags.end(),
                                    [&](const history::KeyValue& each) { return each.key == key; });
    return found == details.tags.end() ? "" : found->value;
  };
  const std::string count = tag("lockstep.preemptions");
  if (count.empty()) return "";
  std::string text = count == "1" ? "once" : fmt::format("{} times", count);
  const std::string steps = tag("lockstep.lost_steps");
  const std::string seconds = tag("lockstep.lost_seconds");
  if (steps == "0") return text + "; nothing was lost";
  if (!steps.empty()) return text + fmt::format("; {} {} done again", steps, steps == "1" ? "step was" : "steps were");
  if (!seconds.empty()) return text + fmt::format("; {} s after it had written to checkpoints/ were lost", seconds);
  return text + "; what it lost is not known";
}

static Fields fields_of(const JobDetails& details, const RunFolder& folder) {
  const auto& run = details.run;
  const auto& outcome = run.outcome;
  Fields fields = {{"RunId", run.run_id}, {"Experiment", run.experiment_name}};
  fields.emplace_back("Status", std::string(history::name_of(run.state)));
  const bool completed = run.state == RunState::completed;  // then reason and exit code say nothing new
  if (!completed && !outcome.reason.empty()) fields.emplace_back("Reason", outcome.reason);
  if (details.failure && !details.failure->hint.empty()) fields.emplace_back("Hint", details.failure->hint);
  if (outcome.first_failed_rank)
    fields.emplace_back("Failed first", fmt::format("rank {}", *outcome.first_failed_rank));
  if (!completed && outcome.exit_code) fields.emplace_back("Exit code", fmt::format("{}", *outcome.exit_code));
  if (outcome.signal) fields.emplace_back("Signal", fmt::format("{}", *outcome.signal));
  fields.emplace_back("Duration", duration_words(details));
  if (const auto words = preemption_words(details); !words.empty()) fields.emplace_back("Preempted", words);
  if (!details.metrics.empty()) fields.emplace_back("Metrics", metrics_line(details.metrics));
  fields.emplace_back("Files", folder.root().string());
  std::string title = "Try next";
  for (const auto& step : next_steps(details, folder)) fields.emplace_back(std::exchange(title, ""), step);
  return fields;
}

static void colour_status(std::string& text, history::RunState state) {
  const std::string status = fmt::format(" {}\n", history::name_of(state));
  const std::size_t at = text.find(status);
  if (at != std::string::npos) {
    text.replace(at, status.size(),
                 fmt::format(" {}\n", coloured(history::name_of(state), status_colour(state), true)));
  }
}

std::string summary_text(const JobDetails& details, history::Store& store, const Workspace& workspace,
                         const SummaryOptions& options, const Terminal& terminal) {
  const auto& run = details.run;
  const RunFolder folder = workspace.run(run.run_id);
  std::string text;
  if (options.show_curve) text += curve(details, store, terminal);
  if (!text.empty()) text += "\n";
  if (options.show_failed_log && details.failure) text += failure_text(*details.failure, run.outcome.first_failed_rank);
  std::string fields = field_list(fields_of(details, folder));
  if (terminal.colour) colour_status(fields, run.state);
  fields.pop_back();
  return text + "Execution Summary\n=================\n" + fields;
}

}  // namespace lockstep::cli
