// `lockstep compute list-usage`: what it counts, and how it shows it.
#include "cli/compute_usage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::cli {
namespace {

using spec::Tier;
using supervise::LedgerEntry;
using ::testing::HasSubstr;

LedgerEntry entry(std::int64_t ticket, bool running, int cores, Tier tier) {
  LedgerEntry made;
  made.ticket = ticket;
  made.run_id = "r" + std::to_string(ticket);
  made.running = running;
  made.cores = {.compute = "rack", .family = "standardDSv2Family", .tier = tier, .count = cores};
  return made;
}

std::vector<LedgerEntry> entries() {
  return {entry(1, true, 4, Tier::dedicated), entry(2, true, 2, Tier::dedicated), entry(3, false, 8, Tier::dedicated),
          entry(4, true, 4, Tier::low_priority), entry(5, true, 0, Tier::dedicated)};
}

TEST(ListUsage, HasWhatHasAQuotaOrIsInUse) {
  const auto usages =
      usage_of({{"standardHXFamily", Tier::dedicated, 176}, {"standardDSv2Family", Tier::dedicated, 8}}, entries());
  ASSERT_EQ(usages.size(), 3U);
  EXPECT_EQ(usage_json(usages[0]), Json::parse(R"({
    "id": "standardDSv2Family/dedicated",
    "name": {"value": "standardDSv2Family", "localized_value": "standardDSv2Family vCPUs"},
    "unit": "Count", "current_value": 6, "limit": 8, "tier": "dedicated", "waiting": 8})"));
  EXPECT_EQ(usage_json(usages[1]), Json::parse(R"({
    "id": "standardDSv2Family/low_priority",
    "name": {"value": "standardDSv2Family", "localized_value": "standardDSv2Family low-priority vCPUs"},
    "unit": "Count", "current_value": 4, "limit": null, "tier": "low_priority", "waiting": 0})"));
  EXPECT_EQ(usage_json(usages[2])["current_value"], 0);
}

TEST(ListUsage, IsATable) {
  const std::string table = usage_table(usage_of({{"standardDSv2Family", Tier::dedicated, 8}}, entries()), Terminal{});
  EXPECT_THAT(table, HasSubstr("standardDSv2Family  dedicated         6      8        8\n"));
  EXPECT_THAT(table, HasSubstr("standardDSv2Family  low_priority      4   none        0\n"));
}

}  // namespace
}  // namespace lockstep::cli
