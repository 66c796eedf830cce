// What each kernel moves, against what the header of its source says that it moves, and its bank conflicts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/ptx/on_interpreter/device.hpp"
#include "tests/ptx/traffic/cases.hpp"

namespace lockstep::ptx {

void PrintTo(const TrafficCase& what, std::ostream* to) { *to << what.kernel << ", " << what.shape; }  // GoogleTest's

namespace {

constexpr double most_sectors = 1.10;
constexpr double most_passes = 1.05;

bool holds(const Counts& counts, double stated_bytes) {
  const double moved = static_cast<double>(counts.sectors * sector_bytes);
  return moved > 0 && moved <= most_sectors * stated_bytes &&
         static_cast<double>(counts.shared_passes) <= most_passes * static_cast<double>(counts.fewest_passes);
}

class Traffic : public ::testing::TestWithParam<TrafficCase> {};

TEST_P(Traffic, IsWhatTheKernelsHeaderSays) {
  const Counts counts = measure(GetParam()).counts;
  const double stated = GetParam().stated_bytes;
  EXPECT_TRUE(holds(counts, stated)) << counts.sectors << " sectors in " << counts.requests << " requests, "
                                     << stated / sector_bytes << " are stated, " << counts.fewest_sectors()
                                     << " the fewest; " << counts.shared_passes << " passes over shared memory, "
                                     << counts.fewest_passes << " the fewest";
  EXPECT_GE(stated, 0.999 * counts.fewest_sectors() * sector_bytes) << "less than the bytes that it touched";
}

INSTANTIATE_TEST_SUITE_P(Kernels, Traffic, ::testing::ValuesIn(traffic_cases()), [](const auto& about) {
  std::string name;
  for (const char c : about.param.kernel) {
    if (c == ' ' || c == ',') continue;
    name += c == '<' || c == '>' ? '_' : c;
  }
  return name;
});

TEST(TrafficCases, EveryKernelHasOne) {
  std::set<std::string> with_case;
  for (const auto& each : traffic_cases()) with_case.insert(each.kernel);
  std::set<std::string> without;
  for (const auto& name : interpreter().kernel_names()) {
    if (!with_case.contains(name)) without.insert(name);
  }
  EXPECT_THAT(without, ::testing::IsEmpty()) << "give it a case in tests/ptx/traffic";
}

TEST(TrafficBudget, RefusesMoreSectorsAndMorePasses) {
  Counts counts;
  EXPECT_FALSE(holds(counts, 3200)) << "nothing moved";
  counts.sectors = 110;
  counts.fewest_passes = 100;
  counts.shared_passes = 105;
  EXPECT_TRUE(holds(counts, 3200));
  EXPECT_FALSE(holds(counts, 3199));
  counts.shared_passes = 106;
  EXPECT_FALSE(holds(counts, 3200));
}

}  // namespace
}  // namespace lockstep::ptx
