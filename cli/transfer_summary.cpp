#include "cli/transfer_summary.hpp"

#include <fmt/format.h>

#include "cli/progress_text.hpp"

namespace lockstep::cli {

using history::transfer::Taken;

std::string counted(std::int64_t count, const std::string& thing) {
  return fmt::format("{} {}{}", with_thousands(static_cast<double>(count)), thing, count == 1 ? "" : "s");
}

Json taken_json(const Taken& taken, double seconds) {
  return {{"experiments_added", taken.added.experiments},
          {"runs_added", taken.added.runs},
          {"points_added", taken.added.points},
          {"models_added", taken.added.models},
          {"runs_here", taken.runs_here},
          {"models_here", taken.models_here},
          {"runs_on", taken.runs_on},
          {"refused", taken.refused()},
          {"left_out", taken.left_out},
          {"seconds", seconds}};
}

std::string taken_text(const Taken& taken) {
  std::string text =
      fmt::format("{} ({}), {}, {}", counted(taken.added.runs, "run"), counted(taken.added.points, "point"),
                  counted(taken.added.experiments, "experiment"), counted(taken.added.models, "model"));
  if (taken.runs_here + taken.models_here > 0) {
    text += fmt::format("; here already: {}, {}", counted(taken.runs_here, "run"), counted(taken.models_here, "model"));
  }
  text += "\n";
  for (const std::string& each : taken.left_out) text += "left out: " + printable(each) + "\n";
  return text;
}

}  // namespace lockstep::cli
