// Nodes that come and go: what a definition asks for, and what Slurm reads of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/error.hpp"
#include "launcher/autoscale/fragment.hpp"
#include "launcher/autoscale/scaled_nodes.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::autoscale {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;

spec::Compute compute_of(const std::string& more, const std::string& engine = "provider: {type: local}") {
  return spec::read_compute("{name: cpu-cluster, " + more + "engine: {type: slurm, " + engine + "}}", "c.yml", "/files")
      .compute;
}

TEST(ScaledNodes, AreWhatTheDefinitionAsksFor) {
  const auto nodes =
      nodes_for(compute_of("size: Standard_DS3_v2, min_instances: 1, max_instances: 4, tier: low_priority, "
                           "idle_time_before_scale_down: 60, "),
                {});
  EXPECT_THAT(nodes.names(), ElementsAre("cpu-cluster-1", "cpu-cluster-2", "cpu-cluster-3", "cpu-cluster-4"));
  EXPECT_EQ(nodes.least, 1);
  EXPECT_EQ(nodes.idle_s, 60);
  EXPECT_TRUE(nodes.low_priority);
  EXPECT_EQ(nodes.cores, 4);
  EXPECT_EQ(nodes.memory_mb, 12902) << "nine tenths of 14 GiB";
}

TEST(ScaledNodes, AreAzuresUsualOnesUnlessItIsSaid) {
  const auto nodes = nodes_for(compute_of(""), {});
  EXPECT_THAT(nodes.names(), ElementsAre("cpu-cluster-1"));
  EXPECT_EQ(nodes.least, 0);
  EXPECT_EQ(nodes.idle_s, 120);
}

TEST(ScaledNodes, OfAnotherComputeMustBeThere) {
  const auto low = compute_of("max_instances: 2, tier: low_priority, ", "nodes_of: other");
  EXPECT_THAT([&] { nodes_for(low, {}); }, ThrowsMessage<Error>(HasSubstr("'other' has no nodes of its own")));
  ScaledNodes other;
  other.compute = "other";
  other.prefix = "other-";
  other.cores = 8;
  EXPECT_THAT([&] { nodes_for(low, {other}); }, ThrowsMessage<Error>(HasSubstr("'other' has 1 nodes to share")));
  other.most = 3;
  const auto nodes = nodes_for(low, {other});
  EXPECT_THAT(nodes.names(), IsEmpty()) << "they are the other's";
  EXPECT_EQ(nodes.prefix, "other-");
  EXPECT_EQ(nodes.cores, 8);
}

TEST(ScaledNodes, ComeBackFromTheirFile) {
  ScaledNodes nodes = nodes_for(compute_of("size: Standard_DS3_v2, max_instances: 9, ",
                                           "provider: {type: command, create: 'make \"$LOCKSTEP_NODE\"', delete: 'b', "
                                           "tries: 7, timeout: 8, retry_after: 9}"),
                                {});
  nodes.stopped = true;
  nodes.first_port = 12345;
  EXPECT_EQ(nodes_from_json(to_json(nodes)), nodes);
}

TEST(ScaledNodes, AreNotMadeOfWhatIsNoneOfOurs) {
  const auto damaged = [](const char* key, const nlohmann::json& value) {
    auto json = nlohmann::json::parse(to_json(nodes_for(compute_of(""), {})));
    json[key] = value;
    return json.dump();
  };
  EXPECT_TRUE(nodes_from_json(damaged("most", 2)));
  for (const auto& text : {std::string(), std::string("{"), std::string("[]"), damaged("most", 0), damaged("most", "4"),
                           damaged("prefix", "a b"), damaged("compute", "-x"), damaged("provider", nullptr),
                           damaged("cores", 0), damaged("most", 1'000'000)}) {
    EXPECT_FALSE(nodes_from_json(text)) << text;
  }
}

TEST(ScaledNodes, AreFoundByTheirNames) {
  ScaledNodes a;
  a.compute = "a";
  a.prefix = "a-";
  a.most = 12;
  ScaledNodes longer;
  longer.compute = "a-b";
  longer.prefix = "a-b-";
  const std::vector<ScaledNodes> all{a, longer};
  const auto owner = [&](const char* node) {
    const ScaledNodes* const found = owner_of(all, node);
    return found == nullptr ? "" : found->compute;
  };
  EXPECT_EQ(owner("a-12"), "a");
  EXPECT_EQ(owner("a-b-1"), "a-b");
  for (const char* node : {"a-13", "a-0", "a-", "a-1x", "a--1", "b-1", "a-b-2"}) EXPECT_EQ(owner(node), "") << node;
}

TEST(ScaledNodes, OfAFolderThatIsDamagedSayWhichFile) {
  const lockstep::testing::TemporaryFolder folder;
  const SlurmFolder slurm(folder.path());
  EXPECT_THAT(read_all(slurm), IsEmpty());
  fs::create_directories(slurm.ours());
  lockstep::testing::write_text(slurm.nodes_file("a"), "{}");
  EXPECT_THAT([&] { read_all(slurm); }, ThrowsMessage<Error>(HasSubstr("a.json is damaged")));
}

TEST(Fragment, HasNodesPartitionsAndPrograms) {
  ScaledNodes dedicated = nodes_for(compute_of("size: Standard_DS3_v2, min_instances: 1, max_instances: 4, ",
                                               "provider: {type: command, create: a, delete: b}"),
                                    {});
  ScaledNodes low = dedicated;
  low.compute = "low";
  low.nodes_of = "cpu-cluster";
  low.most = 2;
  low.least = 0;
  low.low_priority = true;
  low.stopped = true;
  EXPECT_EQ(
      fragment(SlurmFolder("/etc/slurm"), {dedicated, low}),
      "# Written by `lockstep compute create`, `update`, `delete`, `start` and `stop`: changes made here are lost.\n"
      "ResumeProgram=/etc/slurm/lockstep/bin/resume\n"
      "SuspendProgram=/etc/slurm/lockstep/bin/suspend\n"
      "ResumeFailProgram=/etc/slurm/lockstep/bin/resume-failed\n"
      "ResumeRate=0\n"
      "SuspendRate=0\n"
      "SuspendExcNodes=cpu-cluster-[1-4]:1\n"
      "\n"
      "NodeName=cpu-cluster-[1-4] CPUs=4 CoresPerSocket=4 RealMemory=12902 Feature=Standard_DS3_v2 State=CLOUD\n"
      "PartitionName=cpu-cluster Nodes=cpu-cluster-[1-4] State=UP SuspendTime=120 SuspendTimeout=30 "
      "ResumeTimeout=600 DefMemPerCPU=3225 PriorityTier=10 PreemptMode=OFF\n"
      "\n"
      "PartitionName=low Nodes=cpu-cluster-[1-2] State=DOWN SuspendTime=120 SuspendTimeout=5 ResumeTimeout=600 "
      "DefMemPerCPU=3225 PriorityTier=1 PreemptMode=REQUEUE GraceTime=30\n");
}

TEST(Fragment, OfNoComputeChangesNothing) { EXPECT_THAT(fragment(SlurmFolder("/etc/slurm"), {}), Not(HasSubstr("="))); }

TEST(Fragment, GivesProcessesOfOneMachineAPortEach) {
  EXPECT_EQ(node_definition("c", 3, 20001, 2, 1000),
            "NodeName=c[1-3] NodeHostname=localhost NodeAddr=127.0.0.1 Port=20001-20003 CPUs=2 CoresPerSocket=2 "
            "RealMemory=1000");
  EXPECT_EQ(node_definition("c", 1, 20001, 2, 1000),
            "NodeName=c1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=20001 CPUs=2 CoresPerSocket=2 RealMemory=1000");
}

TEST(Fragment, ProgramsTakePathsAsTheyAre) {
  EXPECT_EQ(program(SlurmFolder("/etc/slurm"), "/opt/it's/lockstep", "resume"),
            "#!/bin/sh\nexec '/opt/it'\\''s/lockstep' compute node-power resume '/etc/slurm' \"$1\"\n");
}

TEST(Fragment, SaysWhichSettingsOfTheClusterAreMissing) {
  constexpr const char* good =
      "PreemptMode             = REQUEUE\nPreemptType             = preempt/partition_prio\n"
      "PrivateData             = cloud\nSlurmctldParameters     = cloud_reg_addrs,idle_on_node_suspend\n";
  EXPECT_THAT(missing_settings(good), IsEmpty());
  EXPECT_THAT(missing_settings("PrivateData             = cloud\n"), SizeIs(4));
}

}  // namespace
}  // namespace lockstep::autoscale
