#include "launcher/supervise/cores.hpp"

#include <fmt/format.h>

#include "launcher/supervise/ledger.hpp"

namespace lockstep::supervise {

namespace {

bool are_counted_together(const Cores& a, const Cores& b) {
  return a.count > 0 && b.count > 0 && a.family == b.family && a.tier == b.tier;
}

bool can_fit(const Cores& cores) { return !cores.limit || cores.count <= *cores.limit; }

bool is_before(const LedgerEntry& each, const LedgerEntry& mine) {
  return !each.running && each.ticket < mine.ticket && are_counted_together(each.cores, mine.cores) &&
         can_fit(each.cores);
}

// Quotas of low-priority cores are apart, so they are named; those of dedicated ones go without saying.
std::string kind_of_cores(spec::Tier tier) {
  return tier == spec::Tier::dedicated ? "cores" : fmt::format("{} cores", spec::name_of(tier));
}

std::string remedy(const Cores& cores) {
  return fmt::format("lockstep quota set {} --limit {}{}",
                     cores.family.find(' ') == std::string::npos ? cores.family : "'" + cores.family + "'", cores.count,
                     cores.tier == spec::Tier::dedicated ? "" : fmt::format(" --tier {}", spec::name_of(cores.tier)));
}

}  // namespace

Cores cores_of_run(const plan::Plan& plan) {
  const int count = plan::cores_of(plan);
  if (count == 0) return {};
  const auto& compute = plan::remote_of(plan).compute;
  return {.compute = compute.name, .family = compute.family, .tier = compute.tier, .count = count};
}

CoreUse use_of(std::span<const LedgerEntry> entries, const std::string& family, spec::Tier tier) {
  CoreUse use;
  for (const auto& each : entries) {
    if (each.cores.family != family || each.cores.tier != tier) continue;
    (each.running ? use.in_use : use.waiting) += each.cores.count;
  }
  return use;
}

bool waits_for_cores(std::span<const LedgerEntry> entries, const LedgerEntry& mine) {
  if (mine.running || mine.cores.count == 0 || !mine.cores.limit) return false;
  std::int64_t wanted = use_of(entries, mine.cores.family, mine.cores.tier).in_use + mine.cores.count;
  for (const auto& each : entries) {
    if (is_before(each, mine)) wanted += each.cores.count;
  }
  return wanted > *mine.cores.limit;
}

std::string core_queue_text(std::span<const LedgerEntry> entries, const LedgerEntry& mine) {
  if (!waits_for_cores(entries, mine)) return "";
  const Cores& cores = mine.cores;
  std::string text =
      fmt::format("waiting for {} of family {} (limit {}, in use {}); it needs {}", kind_of_cores(cores.tier),
                  cores.family, cores.limit.value_or(0), use_of(entries, cores.family, cores.tier).in_use, cores.count);
  if (!can_fit(cores)) return fmt::format("{}, which never fits: {}, or cancel it", text, remedy(cores));
  int before = 0;
  for (const auto& each : entries) before += is_before(each, mine) ? 1 : 0;
  if (before > 0) text += fmt::format("; {} {} before it", before, before == 1 ? "run waits" : "runs wait");
  return text;
}

std::string never_within(const std::vector<spec::Quota>& quotas, const plan::Plan& plan) {
  Cores cores = cores_of_run(plan);
  if (cores.count == 0) return "";
  cores.limit = spec::limit_of(quotas, cores.family, cores.tier);
  if (can_fit(cores)) return "";
  const int of_each = plan::remote_of(plan).compute.vcpus;
  const int limit = cores.limit.value_or(0);
  const int most = limit / of_each;
  const std::string shares =
      cores.count == of_each ? "on one node" : fmt::format("{} on each of {} nodes", of_each, cores.count / of_each);
  return fmt::format("it needs {} {} of family {} ({}), and the quota's limit is {}: {}{}", cores.count,
                     kind_of_cores(cores.tier), cores.family, shares, limit,
                     most == 0 ? "" : fmt::format("set resources.instance_count to {} at most, or ", most),
                     remedy(cores));
}

}  // namespace lockstep::supervise
