#include "cli/job_metrics.hpp"

#include <fmt/format.h>

#include "cli/job_view.hpp"
#include "history/store/metric_reader.hpp"

namespace lockstep::cli {

static std::string number_text(double value) { return fmt::format("{:.6g}", value); }

int show_metrics(const OpenWorkspace& here, const std::string& run_id, const OutputOptions& output) {
  const auto metrics = history::MetricReader(here.workspace.store_file()).summaries(run_id);
  Json all = Json::array();
  for (const auto& each : metrics) {
    all.push_back({{"key", each.last.key},
                   {"last", number_json(each.last.value)},
                   {"min", number_json(each.least)},
                   {"max", number_json(each.greatest)},
                   {"step", each.last.step},
                   {"points", each.points}});
  }
  print(all, output, [&](const Terminal& terminal) {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(metrics.size());
    for (const auto& each : metrics) {
      rows.push_back({each.last.key, number_text(each.last.value), number_text(each.least), number_text(each.greatest),
                      std::to_string(each.last.step), std::to_string(each.points)});
    }
    return text_table({{"KEY", false, true},
                       {"LAST", true, false},
                       {"MIN", true, false},
                       {"MAX", true, false},
                       {"STEP", true, false},
                       {"POINTS", true, false}},
                      rows, terminal);
  });
  return 0;
}

}  // namespace lockstep::cli
