// The file of a workspace's quotas: what is read, what is refused.
#include "launcher/spec/quotas.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "launcher/spec/vm_sizes.hpp"

namespace lockstep::spec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> mistakes_of_quotas(std::string_view text) {
  try {
    read_quotas(text, "quotas.yml");
  } catch (const InputErrors& errors) {
    std::vector<std::string> texts;
    for (const Diagnostic& each : errors.all()) texts.push_back(each.text());
    return texts;
  }
  return {"was accepted"};
}

TEST(Quotas, AreReadInAnyCaseAndKnownByTheSpellingOfTheTable) {
  EXPECT_THAT(read_quotas("- {family: STANDARDdsv2family, limit: 8}\n"
                          "- {family: standard ncasv3_t4 family, tier: LowPriority, limit: 0}\n",
                          "quotas.yml"),
              ElementsAre(Quota{"standardDSv2Family", Tier::dedicated, 8},
                          Quota{"Standard NCASv3_T4 Family", Tier::low_priority, 0}));
  EXPECT_THAT(read_quotas("[]", "quotas.yml"), IsEmpty());
}

TEST(Quotas, OfEveryFamilyComeBackFromTheirText) {
  std::vector<Quota> quotas;
  for (const auto& family : known_vm_families()) {
    quotas.push_back({family, Tier::dedicated, static_cast<int>(quotas.size())});
    quotas.push_back({family, Tier::low_priority, most_cores});
  }
  EXPECT_GE(quotas.size(), 80U);
  EXPECT_EQ(read_quotas(quotas_as_yaml(quotas), "quotas.yml"), quotas);
  EXPECT_THAT(read_quotas(quotas_as_yaml({}), "quotas.yml"), IsEmpty());
}

TEST(Quotas, AreRefusedWithEveryMistakeAndItsPlace) {
  EXPECT_THAT(mistakes_of_quotas("- {family: standardDSv2Famly, limit: 8}\n"
                                 "- {family: standardDSv2Family, tier: cheap, limit: -1, unit: cores}\n"
                                 "- {tier: dedicated}\n"
                                 "- 7\n"),
              ElementsAre("quotas.yml:1:12: no VM size is of the family 'standardDSv2Famly'; did you mean "
                          "'standardDSv2Family'?",
                          "quotas.yml:2:38: tier must be dedicated or low_priority, not 'cheap'",
                          "quotas.yml:2:52: limit must be a whole number from 0 to 1000000, not '-1'",
                          "quotas.yml:2:56: unknown key 'unit'; known keys: family, tier, limit",
                          "quotas.yml:3:3: missing key 'family'", "quotas.yml:3:3: missing key 'limit'",
                          "quotas.yml:4:3: a quota must be a mapping, not text"));
  EXPECT_THAT(mistakes_of_quotas("{standardDSv2Family: 8}"),
              ElementsAre("quotas.yml:1:1: quotas are a list with a mapping for each quota"));
}

TEST(Quotas, AreThereOnceForEachFamilyAndTier) {
  EXPECT_THAT(mistakes_of_quotas("- {family: standardDSv2Family, limit: 8}\n"
                                 "- {family: standardDSv2Family, tier: low_priority, limit: 8}\n"
                                 "- {family: StandardDSv2Family, tier: dedicated, limit: 9}\n"),
              ElementsAre("quotas.yml:3:3: 'standardDSv2Family' has a dedicated quota already, in line 1"));
}

TEST(Quotas, LimitNothingWhereThereIsNone) {
  const std::vector<Quota> quotas{{"standardDSv2Family", Tier::low_priority, 8}};
  EXPECT_EQ(limit_of(quotas, "standardDSv2Family", Tier::low_priority), 8);
  EXPECT_EQ(limit_of(quotas, "standardDSv2Family", Tier::dedicated), std::nullopt);
  EXPECT_EQ(limit_of(quotas, "standardHXFamily", Tier::low_priority), std::nullopt);
}

}  // namespace
}  // namespace lockstep::spec
