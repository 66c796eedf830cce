// `lockstep doctor`: what this machine can do, what it lacks, and how to get it.
#include <algorithm>
#include <memory>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "common/process.hpp"
#include "launcher/machine/doctor.hpp"

namespace lockstep::cli {

static std::string table(const std::vector<machine::Finding>& findings, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(findings.size());
  for (const auto& each : findings) {
    rows.push_back({each.capability, std::string(name_of(each.health)), each.found, each.remedy});
  }
  return text_table({{"FOR"}, {"STATE"}, {"FOUND", false, true}, {"TO DO"}}, rows, terminal);
}

static int doctor(const OutputOptions& output) {
  const auto findings = machine::examine({.environment = current_environment(),
                                          .folder = Workspace::find().root(),
                                          .runtime_folder = runtime_folder(),
                                          .programs = this_program().parent_path()});
  Json all = Json::array();
  for (const auto& each : findings) {
    all.push_back({{"for", each.capability},
                   {"state", name_of(each.health)},
                   {"needed", each.needed},
                   {"found", each.found},
                   {"to_do", each.remedy}});
  }
  print(all, output, [&](const Terminal& terminal) { return table(findings, terminal); });
  const bool is_well = std::all_of(findings.begin(), findings.end(), [](const machine::Finding& each) {
    return each.health == machine::Health::ok || (each.health == machine::Health::missing && !each.needed);
  });
  return is_well ? 0 : 1;
}

void add_doctor_command(const Command& root) {
  const Command command = root.add("doctor", "Check this machine: what it can do, what it lacks, and how to get it",
                                   "lockstep doctor\n"
                                   "lockstep doctor -o json");
  auto output = std::make_shared<OutputOptions>();
  add_output_options(command, *output);
  command.does([output] { return doctor(*output); });
}

}  // namespace lockstep::cli
