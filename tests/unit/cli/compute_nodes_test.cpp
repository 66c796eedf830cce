#include "cli/compute_nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::cli {
namespace {

using ::testing::HasSubstr;

hosts::HostReport report(const std::string& name, const std::vector<std::string>& problems) {
  hosts::HostReport report{{name, name + ".example.org"}, std::nullopt, problems};
  if (problems.empty()) {
    report.probe.emplace();
    report.probe->host = name;
    report.probe->cores = 8;
    report.probe->memory_bytes = std::int64_t{64} << 30;
  }
  return report;
}

TEST(ComputeNodes, AreIdleRunningOrUnusableWithTheReason) {
  const std::map<std::string, std::string> taken{{"b.example.org", "brave_otter"}};
  const Node idle = node_of(report("a", {}), taken);
  const Node running = node_of(report("b", {}), taken);
  const Node unusable = node_of(report("c", {"c: no sshd answers there"}), taken);
  EXPECT_EQ(idle.state, "idle");
  EXPECT_EQ(running.state, "running");
  EXPECT_EQ(running.job, "brave_otter");
  EXPECT_EQ(unusable.state, "unusable");
  const Json json = node_json(unusable);
  EXPECT_EQ(json["node_id"], "c");
  EXPECT_TRUE(json["cores"].is_null()) << "what is not known is not 0";
  EXPECT_EQ(json["problems"][0], "c: no sshd answers there");
  EXPECT_EQ(node_json(idle)["memory_bytes"], std::int64_t{64} << 30);
  const std::string table = node_table({idle, running, unusable}, {});
  EXPECT_THAT(table, HasSubstr("64.0 GiB"));
  EXPECT_THAT(table, ::testing::EndsWith("c: no sshd answers there\n"));
}

TEST(ComputeNodes, OfAClusterAreAsSlurmTellsOfThem) {
  const auto queue = slurm::read_queue("2|RUNNING|None|2|n[1-2]|main|70|normal|root|lockstep-b\n");
  const auto rows = slurm::read_nodes("n1|mixed|8|64000|gpu:4|n1|none\nn3|down|8|64000|(null)|n3|disk is broken\n");
  const Node running = node_of(rows.at(0), queue);
  EXPECT_EQ(running.state, "running");
  EXPECT_EQ(running.job, "b");
  EXPECT_EQ(running.gres, "gpu:4");
  EXPECT_THAT(node_of(rows.at(1), queue).problems, ::testing::ElementsAre("n3: disk is broken"));
}

}  // namespace
}  // namespace lockstep::cli
