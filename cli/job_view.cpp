#include "cli/job_view.hpp"

#include <fmt/format.h>

#include "cli/text_table.hpp"
#include "common/clock.hpp"

namespace lockstep::cli {

using history::RunState;

std::string age_text(std::int64_t milliseconds) {
  const std::int64_t minutes = milliseconds / 60'000;
  if (minutes < 1) return "just now";
  if (minutes < 60) return fmt::format("{} min ago", minutes);
  if (minutes < 48 * 60) return fmt::format("{} h ago", minutes / 60);
  return fmt::format("{} d ago", minutes / (24 * 60));
}

std::string status_colour(RunState state) {
  switch (state) {
    case RunState::completed:
      return "32";
    case RunState::failed:
      return "31";
    case RunState::canceled:
    case RunState::cancel_requested:
      return "33";
    default:
      return "36";
  }
}

std::string job_table(const std::vector<history::Run>& runs, std::int64_t now_ms, const Terminal& terminal) {
  const std::vector<Column> columns = {{"NAME", false, false},    {"EXPERIMENT", false, true}, {"STATUS", false, false},
                                       {"CREATED", false, false}, {"DURATION", true, false},   {"REASON", false, true}};
  std::vector<std::vector<std::string>> rows;
  for (const auto& run : runs) {
    const std::int64_t duration = duration_ms(run, now_ms);
    rows.push_back({run.run_id, run.experiment_name, std::string(history::name_of(run.state)),
                    age_text(now_ms - run.created_ms), run.started_ms == 0 ? "" : duration_text(duration),
                    run.outcome.reason});
  }
  return text_table(columns, rows, terminal);
}

}  // namespace lockstep::cli
