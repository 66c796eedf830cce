// What the lines of lockstep-network-check tell of the nodes. Which lines come in truth: tests/hosts/hosts_test.py.
#include "launcher/hosts/network.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace lockstep::hosts {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<spec::Host> three{{"n1", "10.0.0.1"}, {"n2", "10.0.0.2"}, {"n3", "10.0.0.3"}};
constexpr const char* all_here = "here 0\nhere 1\nhere 2\n";

TEST(Network, ThatIsWellIsSaidWithItsSpeed) {
  const auto report = judge_network(three, std::string(all_here) + "sum 4 0.000031\nsum 4194304 0.012\n", true, "");
  EXPECT_EQ(report.problem, "");
  EXPECT_EQ(report.measured, "a sum: 4 B in 31 us, 4 MiB in 12.0 ms (0.35 GB/s)");
}

TEST(Network, TheNodeThatMostOthersDoNotReachIsBad) {
  const auto report = judge_network(three, std::string(all_here) + "heard 0 2\nheard 2 0\n", false, "");
  EXPECT_EQ(report.bad, 1U);
  EXPECT_EQ(report.or_else, std::nullopt);
  EXPECT_THAT(report.problem, HasSubstr("n2: no message of MPI passes between it and n1, n3: "));
  EXPECT_THAT(report.problem, HasSubstr("OMPI_MCA_btl_tcp_if_include"));
}

TEST(Network, OfTwoThatDoNotReachEachOtherTheLaterIsBad) {
  const auto report = judge_network(
      three, std::string(all_here) + "heard 0 1\nheard 1 0\nheard 0 2\nheard 2 0\nheard 1 2\n", false, "");
  EXPECT_EQ(report.bad, 2U) << "one way is as good as none";
  EXPECT_EQ(report.or_else, 1U);
  EXPECT_THAT(report.problem, HasSubstr("n3: no message of MPI passes between it and n2: "));
}

TEST(Network, AConnectionThatIsRefusedCountsForMoreThanWhatWasNotHeardBecauseOfIt) {
  const auto report = judge_network(three, std::string(all_here) + "heard 2 1\nheard 1 2\n", false,
                                    "[[1,1],0][btl_tcp_endpoint.c:793] from n1 to: n2 Unable to connect to the peer "
                                    "10.0.0.2 on port 1024: No route to host\n");
  EXPECT_EQ(report.bad, 1U);
  EXPECT_THAT(report.problem, HasSubstr("n2: no message of MPI passes between it and n1: "));
  const char* const by_address = "from n1 to: some.other.name Unable to connect to the peer 10.0.0.2 on port 1024\n";
  EXPECT_EQ(judge_network(three, "here 0\n", false, by_address).bad, 1U) << "others had not begun when it ended";
  EXPECT_EQ(judge_network(three, all_here, false, "peer from to: peer from n1 to: n9 peer x").bad, 2U);
}

TEST(Network, WhereMpiDoesNotBeginNobodyIsToBlameAndItsLastWordsAreSaid) {
  const auto report = judge_network(three, "here 0\nhere 7\nhere x\nhere\n", false, "no such library");
  EXPECT_EQ(report.bad, std::nullopt);
  EXPECT_EQ(report.problem, "MPI does not begin on n1, n2, n3: no such library");
  const std::string rule(76, '-');
  const std::string mpiruns = rule + "\nORTE was unable to start\na daemon.\n\n* one of many causes\n" + rule + "\n";
  EXPECT_EQ(judge_network(three, "", false, mpiruns).problem,
            "MPI does not begin on n1, n2, n3: ORTE was unable to start a daemon.");
}

TEST(Network, ASumThatIsWrongOrDoesNotEndIsAProblem) {
  EXPECT_THAT(judge_network(three, std::string(all_here) + "wrong 1\n", true, "").problem, HasSubstr("wrong (n2)"));
  std::string all = all_here;
  for (const char* each : {"0 1", "0 2", "1 0", "1 2", "2 0", "2 1"}) all += fmt::format("heard {}\n", each);
  const auto report = judge_network(three, all, false, "");
  EXPECT_EQ(report.bad, std::nullopt);
  EXPECT_THAT(report.problem, HasSubstr("does not come to its end"));
}

// mpirun's own lines, and what a node's shell says, stand between them.
TEST(Network, OtherLinesAreNobodysWord) {
  const auto report = judge_network(
      three,
      "heard\nsum -1 -1\nsum 4 nan\nWelcome here 0\nheard 0 -1\n" + std::string(all_here) + "sum 4 0.000002 more\n",
      true, "");
  EXPECT_EQ(report.problem, "");
  EXPECT_EQ(report.measured, "a sum: 4 B in 2 us");
  EXPECT_THAT(report.measured, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace lockstep::hosts
