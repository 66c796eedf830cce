// `lockstep compute list-usage`: the cores of VM families that runs have, and their quotas.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/query.hpp"
#include "cli/terminal.hpp"
#include "launcher/spec/quotas.hpp"
#include "launcher/supervise/ledger.hpp"

namespace lockstep::cli {

void add_list_usage_command(const Command& compute);

std::vector<supervise::LedgerEntry> ledger_entries();  // of this machine

// Of a family in a tier: one that has a quota, or whose cores a run has or waits for.
struct Usage {
  std::string family;
  spec::Tier tier = spec::Tier::dedicated;
  std::optional<int> limit;
  supervise::CoreUse use;
};
std::vector<Usage> usage_of(const std::vector<spec::Quota>& quotas, std::span<const supervise::LedgerEntry> entries);

Json usage_json(const Usage& usage);  // the keys of az's, and ours
std::string usage_table(const std::vector<Usage>& usages, const Terminal& terminal);

}  // namespace lockstep::cli
