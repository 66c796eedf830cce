// A run on fewer nodes than it asked for is the run that would have been planned for them.
#include <gmock/gmock.h>

#include "jobs.hpp"

namespace lockstep::plan {
namespace {

RemoteCompute rack(int hosts) {
  RemoteCompute rack;
  rack.name = "rack";
  rack.scratch = "/var/tmp/ada";
  rack.node_program = "/var/tmp/ada/bin/1/lockstep-entrypoint";
  rack.ssh_config = "/run/ssh";
  rack.hosts.emplace();
  for (int i = 1; i <= hosts; ++i) rack.hosts->hosts.push_back({fmt::format("n{}", i), fmt::format("10.0.0.{}", i)});
  return rack;
}

void expect_the_same(spec::CommandJob job, int nodes) {
  const Plan whole = plan(job, rack(4), surroundings());
  const Plan fewer = on_fewer_nodes(whole, nodes);
  job.resources.instance_count = nodes;
  const Plan planned = plan(job, rack(4), surroundings());
  EXPECT_EQ(fewer.argv, planned.argv);
  EXPECT_EQ(fewer.environment, planned.environment);
  EXPECT_EQ(fewer.nodes, planned.nodes);
  EXPECT_EQ(fewer.slots, planned.slots);
  EXPECT_EQ(fewer.ports, planned.ports);
  ASSERT_EQ(fewer.ranks.size(), planned.ranks.size());
  for (std::size_t i = 0; i < planned.ranks.size(); ++i) {
    EXPECT_EQ(fewer.ranks[i].node, planned.ranks[i].node);
    EXPECT_EQ(fewer.ranks[i].local_rank, planned.ranks[i].local_rank);
    EXPECT_EQ(fewer.ranks[i].task, planned.ranks[i].task);
  }
}

TEST(FewerNodes, MakeThePlanThatWouldHaveBeenMadeForThem) {
  for (int nodes = 1; nodes <= 4; ++nodes) {
    SCOPED_TRACE(nodes);
    expect_the_same(mpi_job("./train", 4, 2), nodes);
    auto pytorch = mpi_job("./train", 4, 2);
    pytorch.distribution.type = spec::DistributionType::pytorch;
    pytorch.preparation = "./prepare";
    expect_the_same(pytorch, nodes);
    expect_the_same(tensorflow_job("./train", 4, 4, 1), nodes);
    auto bare = job_with("./train");
    bare.resources.instance_count = 4;
    expect_the_same(bare, nodes);
  }
}

TEST(FewerNodes, AreAtLeastOneAndNoMoreThanThereWere) {
  const Plan whole = plan(mpi_job("./train", 2, 1), rack(4), surroundings());
  EXPECT_THROW(on_fewer_nodes(whole, 0), Error);
  EXPECT_THROW(on_fewer_nodes(whole, 3), Error);
}

}  // namespace
}  // namespace lockstep::plan
