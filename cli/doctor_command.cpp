// `lockstep doctor`: what this machine, or a compute's, can do, what it lacks, and how to get it.
#include <algorithm>
#include <memory>

#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "common/process.hpp"
#include "launcher/compute/definitions.hpp"
#include "launcher/hosts/doctor.hpp"
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

static std::vector<machine::Finding> examine(const std::string& compute) {
  const Workspace workspace = Workspace::find();
  if (!compute.empty() && compute != "local") {
    InterruptWatch interrupts;
    return hosts::examine_compute(workspace, compute::find(workspace, compute), [&] { return interrupts.count() > 0; });
  }
  return machine::examine({.environment = current_environment(),
                           .folder = workspace.root(),
                           .runtime_folder = runtime_folder(),
                           .programs = this_program().parent_path()});
}

static int doctor(const std::string& compute, const OutputOptions& output) {
  const auto findings = examine(compute);
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
  struct Arguments {
    std::string compute;
    OutputOptions output;
  };
  const Command command =
      root.add("doctor",
               "Check this machine, or those of a compute: what they can do, what they lack, and how "
               "to get it",
               "lockstep doctor\n"
               "lockstep doctor lab                       # its hosts, and what passes between them\n"
               "lockstep doctor -o json --query \"[?state!='ok']\"");
  auto arguments = std::make_shared<Arguments>();
  command.option("compute", arguments->compute, "COMPUTE", "A compute; without it this machine");
  add_output_options(command, arguments->output);
  command.does([arguments] { return doctor(arguments->compute, arguments->output); });
}

}  // namespace lockstep::cli
