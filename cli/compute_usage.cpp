#include "cli/compute_usage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "api/job_json.hpp"
#include "cli/output.hpp"
#include "launcher/compute/definitions.hpp"
#include "launcher/compute/local.hpp"
#include "launcher/compute/quotas.hpp"

namespace lockstep::cli {

namespace {

// A compute's share: names of computes are a workspace's.
struct ComputeUse {
  std::string workspace;
  supervise::Cores cores;  // `count` is nobody's
  supervise::CoreUse use;
};

std::vector<ComputeUse> use_by_compute(std::span<const supervise::LedgerEntry> entries) {
  std::map<std::tuple<std::string, std::string, std::string, spec::Tier>, ComputeUse> all;
  for (const auto& each : entries) {
    const supervise::Cores& cores = each.cores;
    if (cores.count == 0) continue;
    ComputeUse& row = all[{each.workspace, cores.compute, cores.family, cores.tier}];
    row.workspace = each.workspace;
    row.cores = cores;
    (each.running ? row.use.in_use : row.use.waiting) += cores.count;
  }
  std::vector<ComputeUse> rows;
  for (auto& [key, row] : all) rows.push_back(std::move(row));
  return rows;
}

int list_by_family(const Workspace& workspace, const OutputOptions& output) {
  const auto usages = usage_of(compute::quotas(workspace), ledger_entries());
  Json all = Json::array();
  for (const auto& each : usages) all.push_back(usage_json(each));
  print(all, output, [&](const Terminal& terminal) { return usage_table(usages, terminal); });
  return 0;
}

int list_by_compute(const OutputOptions& output) {
  Json all = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : use_by_compute(ledger_entries())) {
    const std::string tier(spec::name_of(each.cores.tier));
    all.push_back({{"compute", each.cores.compute},
                   {"family", each.cores.family},
                   {"tier", tier},
                   {"unit", "Count"},
                   {"current_value", each.use.in_use},
                   {"waiting", each.use.waiting},
                   {"workspace", each.workspace}});
    rows.push_back({each.cores.compute, each.cores.family, tier, fmt::format("{}", each.use.in_use),
                    fmt::format("{}", each.use.waiting), each.workspace});
  }
  print(all, output, [&](const Terminal& terminal) {
    return text_table({{"COMPUTE"},
                       {"FAMILY", false, true},
                       {"TIER"},
                       {"CORES", true, false},
                       {"WAITING", true, false},
                       {"WORKSPACE", false, true}},
                      rows, terminal);
  });
  return 0;
}

int list_by_run(const OutputOptions& output) {
  Json all = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : ledger_entries()) {
    if (each.cores.count == 0) continue;
    const std::string tier(spec::name_of(each.cores.tier));
    all.push_back({{"name", each.run_id},
                   {"compute", each.cores.compute},
                   {"family", each.cores.family},
                   {"tier", tier},
                   {"unit", "Count"},
                   {"current_value", each.running ? each.cores.count : 0},
                   {"waiting", each.running ? 0 : each.cores.count},
                   {"workspace", each.workspace}});
    rows.push_back({each.run_id, each.cores.compute, each.cores.family, tier, fmt::format("{}", each.cores.count),
                    each.running ? "has them" : "waits", each.workspace});
  }
  print(all, output, [&](const Terminal& terminal) {
    return text_table({{"RUN"},
                       {"COMPUTE"},
                       {"FAMILY", false, true},
                       {"TIER"},
                       {"CORES", true, false},
                       {"STATE"},
                       {"WORKSPACE", false, true}},
                      rows, terminal);
  });
  return 0;
}

// Whoever looks at usage should know what is not in it.
void note_uncounted(const Workspace& workspace) {
  std::vector<std::string> names;
  for (const auto& each : compute::list(workspace)) {
    if ((each.hosts || each.slurm) && each.size.empty()) names.push_back(each.name);
  }
  if (!names.empty())
    fmt::print(stderr,
               "note: runs on {} count with no cores: no size is said (lockstep compute update {} --set size=SIZE)\n",
               fmt::join(names, ", "), names.front());
}

}  // namespace

std::vector<supervise::LedgerEntry> ledger_entries() {
  return supervise::Ledger(runtime_folder(), compute::this_machine().slots).entries();
}

std::vector<Usage> usage_of(const std::vector<spec::Quota>& quotas, std::span<const supervise::LedgerEntry> entries) {
  std::map<std::pair<std::string, spec::Tier>, Usage> all;
  for (const auto& each : quotas) all[{each.family, each.tier}].limit = each.limit;
  for (const auto& each : entries) {
    if (each.cores.count > 0) all[{each.cores.family, each.cores.tier}];
  }
  std::vector<Usage> usages;
  for (const auto& [key, usage] : all) {
    const auto& [family, tier] = key;
    usages.push_back({family, tier, usage.limit, supervise::use_of(entries, family, tier)});
  }
  return usages;
}

Json usage_json(const Usage& usage) {
  const std::string tier(spec::name_of(usage.tier));
  return {
      {"id", usage.family + "/" + tier},
      {"name",
       {{"value", usage.family},
        {"localized_value", usage.family + (usage.tier == spec::Tier::dedicated ? " vCPUs" : " low-priority vCPUs")}}},
      {"unit", "Count"},
      {"current_value", usage.use.in_use},
      {"limit", api::optional_json(usage.limit)},
      {"tier", tier},
      {"waiting", usage.use.waiting}};
}

std::string usage_table(const std::vector<Usage>& usages, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(usages.size());
  for (const auto& each : usages) {
    rows.push_back({each.family, std::string(spec::name_of(each.tier)), fmt::format("{}", each.use.in_use),
                    each.limit ? fmt::format("{}", *each.limit) : "none", fmt::format("{}", each.use.waiting)});
  }
  return text_table(
      {{"FAMILY", false, true}, {"TIER"}, {"CORES", true, false}, {"LIMIT", true, false}, {"WAITING", true, false}},
      rows, terminal);
}

void add_list_usage_command(const Command& compute) {
  struct Arguments {
    std::string by = "family";
    OutputOptions output;
  };
  const Command command = compute.add("list-usage", "List the cores in use of each family of VM sizes, and its quota",
                                      "lockstep compute list-usage\n"
                                      "lockstep compute list-usage --by run\n"
                                      "lockstep compute list-usage --query '[].current_value' -o tsv");
  auto arguments = std::make_shared<Arguments>();
  command.option("--by", arguments->by, "WHAT", "family (default), compute or run: whose cores each line counts")
      .one_of({"family", "compute", "run"});
  add_output_options(command, arguments->output);
  command.does([arguments] {
    const Workspace workspace = Workspace::find();
    if (!arguments->output.given()) note_uncounted(workspace);
    if (arguments->by == "compute") return list_by_compute(arguments->output);
    if (arguments->by == "run") return list_by_run(arguments->output);
    return list_by_family(workspace, arguments->output);
  });
}

}  // namespace lockstep::cli
