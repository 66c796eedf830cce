// `lockstep metrics RUN [KEY]`: what a run measured, as numbers or as a drawing.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.hpp"
#include "cli/job_view.hpp"
#include "cli/loss_curve.hpp"
#include "cli/output.hpp"
#include "cli/text_table.hpp"
#include "common/clock.hpp"
#include "common/nearest.hpp"

namespace lockstep::cli {

namespace {

struct MetricsArguments {
  std::string name;
  std::string key;
  bool plot = false;
  OutputOptions output;
};

Json point_json(const history::Metric& point) {
  return {{"step", point.step}, {"time", iso8601(point.timestamp_ms)}, {"value", number_json(point.value)}};
}

std::string number_text(double value) { return fmt::format("{:.6g}", value); }

// The latest value of each metric.
int show_latest(const std::vector<history::Metric>& latest, const OutputOptions& output) {
  Json all = Json::array();
  for (const auto& each : latest) {
    Json metric = {{"key", each.key}};
    metric.update(point_json(each));
    all.push_back(std::move(metric));
  }
  print(all, output, [&](const Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(latest.size());
    for (const auto& each : latest) rows.push_back({each.key, number_text(each.value), std::to_string(each.step)});
    return text_table({{"METRIC", false, true}, {"LATEST", true, false}, {"STEP", true, false}}, rows, terminal);
  });
  return 0;
}

int show_points(const std::vector<history::Metric>& points, const OutputOptions& output) {
  Json all = Json::array();
  for (const auto& each : points) all.push_back(point_json(each));
  print(all, output, [&](const Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(points.size());
    for (const auto& each : points)
      rows.push_back({std::to_string(each.step), number_text(each.value), iso8601(each.timestamp_ms)});
    return text_table({{"STEP", true, false}, {"VALUE", true, false}, {"TIME", false, false}}, rows, terminal);
  });
  return 0;
}

int plot(history::Store& store, const std::string& run_id, const std::string& key) {
  constexpr int enough = 2500;  // points for a few hundred columns of dots, however many there are
  const Terminal terminal = terminal_of(1);
  CurveSize size;
  size.columns = std::min(terminal.width - 1, 120);
  size.utf8 = terminal.utf8;
  const std::string drawn =
      draw_curve(printable(key), store.metric_interval(run_id, key, std::nullopt, std::nullopt, enough), size);
  if (drawn.empty()) throw failure("'{}' has no three finite values to draw a curve of", key);
  print_text(drawn);
  return 0;
}

int metrics(const MetricsArguments& arguments) {
  const OpenWorkspace here = open_workspace();
  history::Store& store = *here.store;
  const std::string run_id = store.get_run(arguments.name).run_id;
  const auto latest = store.latest_metrics(run_id);
  if (arguments.key.empty()) {
    if (arguments.plot) throw bad_input("--plot draws one metric: name it after the run");
    return show_latest(latest, arguments.output);
  }
  std::vector<std::string> keys;
  keys.reserve(latest.size());
  for (const auto& each : latest) keys.push_back(each.key);
  if (std::find(keys.begin(), keys.end(), arguments.key) == keys.end()) {
    throw not_found("run {} has no metric '{}'{}", run_id, arguments.key, did_you_mean(arguments.key, keys));
  }
  if (arguments.plot) return plot(store, run_id, arguments.key);
  return show_points(store.metric_history(run_id, arguments.key), arguments.output);
}

}  // namespace

void add_metrics_command(const Command& root) {
  const Command command = root.add("metrics", "Show what a run measured: the latest values, or one metric's course",
                                   "lockstep metrics brave_otter_k3x9m2pq\n"
                                   "lockstep metrics brave_otter_k3x9m2pq train_loss --plot\n"
                                   "lockstep metrics brave_otter_k3x9m2pq train_loss -o tsv > loss.tsv");
  auto arguments = std::make_shared<MetricsArguments>();
  add_name(command, arguments->name, "The run");
  command.option("--key,key", arguments->key, "KEY", "The metric; without it the latest value of each");
  command.flag("--plot", arguments->plot, "Draw its curve");
  add_output_options(command, arguments->output);
  command.does([arguments] { return metrics(*arguments); });
}

}  // namespace lockstep::cli
