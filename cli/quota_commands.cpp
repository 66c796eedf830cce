// `lockstep quota`: how many cores of a family of VM sizes may be in use.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.hpp"
#include "cli/compute_usage.hpp"
#include "cli/output.hpp"
#include "common/error.hpp"
#include "launcher/compute/quotas.hpp"
#include "launcher/spec/vm_sizes.hpp"

namespace lockstep::cli {

namespace {

struct QuotaArguments {
  std::string family;
  std::string tier;
  int limit = -1;
  OutputOptions output;
};

Json quota_json(const spec::Quota& quota) {
  return {{"family", quota.family}, {"tier", spec::name_of(quota.tier)}, {"limit", quota.limit}, {"unit", "Count"}};
}

std::string quota_table(const std::vector<spec::Quota>& quotas, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(quotas.size());
  for (const auto& each : quotas)
    rows.push_back({each.family, std::string(spec::name_of(each.tier)), std::to_string(each.limit)});
  return text_table({{"FAMILY", false, true}, {"TIER"}, {"LIMIT", true, false}}, rows, terminal);
}

int set(const QuotaArguments& arguments) {
  if (arguments.limit < 0 || arguments.limit > spec::most_cores)
    throw bad_input("--limit {}: it must be a number of cores, 0 to {}", arguments.limit, spec::most_cores);
  const spec::Quota quota{spec::vm_family_named(arguments.family),
                          spec::tier_named(arguments.tier).value_or(spec::Tier::dedicated), arguments.limit};
  compute::set_quota(Workspace::find(), quota);
  print(quota_json(quota), arguments.output, [&](const Terminal&) {
    return fmt::format("{}: {} {} cores\n", quota.family, quota.limit, spec::name_of(quota.tier));
  });
  const std::int64_t in_use = supervise::use_of(ledger_entries(), quota.family, quota.tier).in_use;
  if (!arguments.output.given() && in_use > quota.limit)
    fmt::print(stderr, "note: {} are in use: the runs that have them go on, others wait\n", in_use);
  return 0;
}

int show(const QuotaArguments& arguments) {
  std::vector<spec::Quota> quotas = compute::quotas(Workspace::find());
  if (!arguments.family.empty()) {
    const std::string family = spec::vm_family_named(arguments.family);
    std::erase_if(quotas, [&](const spec::Quota& each) { return each.family != family; });
    if (quotas.empty())
      throw not_found("there is no quota of the family '{0}'; to set one: lockstep quota set '{0}' --limit N", family);
  }
  Json all = Json::array();
  for (const auto& each : quotas) all.push_back(quota_json(each));
  print(all, arguments.output, [&](const Terminal& terminal) { return quota_table(quotas, terminal); });
  return 0;
}

AddedOption add_family(const Command& command, QuotaArguments& arguments, const std::string& help) {
  return command.option("--family,family", arguments.family, "FAMILY", help);
}

void add_tier(const Command& command, QuotaArguments& arguments, const std::string& help) {
  command.option("--tier", arguments.tier, "TIER", help).one_of({"dedicated", "low_priority"});
}

void add_set(const Command& quota) {
  const Command command = quota.add("set", "Limit how many cores of a family may be in use",
                                    "lockstep quota set standardDSv2Family --limit 8\n"
                                    "lockstep quota set standardNCSv3Family --limit 24 --tier low_priority");
  auto arguments = std::make_shared<QuotaArguments>();
  add_family(command, *arguments, "The family, as lockstep compute list-sizes shows it").required();
  command.option("--limit", arguments->limit, "N", "So many cores (vCPUs) at most; 0: none").required();
  add_tier(command, *arguments, "dedicated (default) or low_priority: they are counted apart");
  add_output_options(command, arguments->output);
  command.does([arguments] { return set(*arguments); });
}

void add_show(const Command& quota) {
  const Command command = quota.add("show", "Show all quotas, or those of one family",
                                    "lockstep quota show\n"
                                    "lockstep quota show standardDSv2Family --query '[0].limit' -o tsv");
  auto arguments = std::make_shared<QuotaArguments>();
  add_family(command, *arguments, "Only those of this family");
  add_output_options(command, arguments->output);
  command.does([arguments] { return show(*arguments); });

  const Command list = quota.add("list", "List all quotas", "lockstep quota list -o json");
  auto listed = std::make_shared<QuotaArguments>();
  add_output_options(list, listed->output);
  list.does([listed] { return show(*listed); });
}

void add_delete(const Command& quota) {
  const Command command = quota.add("delete", "Remove a family's quotas; its cores have no limit then",
                                    "lockstep quota delete standardDSv2Family\n"
                                    "lockstep quota delete standardDSv2Family --tier low_priority");
  auto arguments = std::make_shared<QuotaArguments>();
  add_family(command, *arguments, "The family").required();
  add_tier(command, *arguments, "Only the quota of dedicated, or of low_priority cores");
  command.does([arguments] {
    compute::remove_quotas(Workspace::find(), spec::vm_family_named(arguments->family),
                           spec::tier_named(arguments->tier));
    return 0;
  });
}

}  // namespace

void add_quota_commands(const Command& root) {
  const Command quota = root.add("quota", "Quotas: how many cores of a family of VM sizes may be in use",
                                 "lockstep quota set standardDSv2Family --limit 8\n"
                                 "lockstep quota show\n"
                                 "lockstep compute list-usage");
  add_set(quota);
  add_show(quota);
  add_delete(quota);
}

}  // namespace lockstep::cli
