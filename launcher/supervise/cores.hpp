// Cores of VM families, of which a workspace's quotas let so many be in use at a time (docs/quotas.md). The ledger
// knows what each run counts with; here is who may start, and what is said of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "launcher/plan/plan.hpp"
#include "launcher/spec/quotas.hpp"

namespace lockstep::supervise {

struct LedgerEntry;

// What a run counts with.
struct Cores {
  std::string compute = {};
  std::string family = {};  // of VM sizes
  spec::Tier tier = spec::Tier::dedicated;
  int count = 0;                            // 0: with nothing
  std::optional<int> limit = std::nullopt;  // its workspace's quota, as its supervisor saw it last; nullopt: none
  bool operator==(const Cores&) const = default;
};

Cores cores_of_run(const plan::Plan& plan);  // without a limit

struct CoreUse {
  std::int64_t in_use = 0;   // by runs that have started
  std::int64_t waiting = 0;  // wanted by runs that have not
};
CoreUse use_of(std::span<const LedgerEntry> entries, const std::string& family, spec::Tier tier);

// Whether a run that has not started must wait: its cores, those in use and those of the runs that came before it are
// more than its limit. One that came before and can never fit into its own limit is not waited for.
bool waits_for_cores(std::span<const LedgerEntry> entries, const LedgerEntry& mine);

// "waiting for cores of family standardDSv2Family (limit 8, in use 6); it needs 4; 1 run waits before it"; "" when it
// does not wait for any.
std::string core_queue_text(std::span<const LedgerEntry> entries, const LedgerEntry& mine);

// "", or why the run can never start under these quotas, and what to do.
std::string never_within(const std::vector<spec::Quota>& quotas, const plan::Plan& plan);

}  // namespace lockstep::supervise
