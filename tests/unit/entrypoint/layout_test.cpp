#include "launcher/entrypoint/layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "common/error.hpp"

namespace lockstep::entrypoint {
namespace {

using ::testing::ElementsAre;

// "worker 1 on 0/1": node, and local rank there
std::vector<std::string> tasks(const Layout& layout) {
  std::vector<std::string> texts;
  for (const Task& each : tasks_of(layout)) {
    texts.push_back(fmt::format("{} {} on {}/{}", name_of(each.role), each.index, each.node, each.local_rank));
  }
  return texts;
}

Layout tensorflow(int nodes, int workers, int parameter_servers) {
  return {Toolkit::tensorflow, nodes, 1, workers, parameter_servers};
}

TEST(Layout, HasAsManyRanksOnEachNode) {
  EXPECT_THAT(tasks({.nodes = 2, .per_node = 2}),
              ElementsAre("worker 0 on 0/0", "worker 1 on 0/1", "worker 2 on 1/0", "worker 3 on 1/1"));
}

TEST(Layout, FillsTheNodesWithWorkersInOrderAndGoesRoundWithParameterServers) {
  EXPECT_THAT(tasks(tensorflow(2, 2, 1)), ElementsAre("worker 0 on 0/0", "ps 0 on 0/1", "worker 1 on 1/0"));
  EXPECT_THAT(tasks(tensorflow(2, 3, 3)), ElementsAre("worker 0 on 0/0", "worker 1 on 0/1", "ps 0 on 0/2",
                                                      "ps 2 on 0/3", "worker 2 on 1/0", "ps 1 on 1/1"));
}

TEST(Layout, GivesParameterServersTheNodesThatHaveNoWorker) {
  EXPECT_THAT(tasks(tensorflow(3, 1, 3)), ElementsAre("worker 0 on 0/0", "ps 2 on 0/1", "ps 0 on 1/0", "ps 1 on 2/0"));
}

TEST(Layout, LeavesNoNodeEmptyAndHasEachTaskOnce) {
  for (int nodes = 1; nodes <= 5; ++nodes) {
    for (int workers = 1; workers <= 7; ++workers) {
      for (int servers = std::max(0, nodes - workers); servers <= 4; ++servers) {
        std::vector<int> per_node(static_cast<std::size_t>(nodes));
        std::vector<int> seen_workers(static_cast<std::size_t>(workers));
        std::vector<int> seen_servers(static_cast<std::size_t>(servers));
        int last_node = 0;
        for (const Task& each : tasks_of(tensorflow(nodes, workers, servers))) {
          EXPECT_EQ(each.local_rank, per_node.at(static_cast<std::size_t>(each.node))++);
          EXPECT_GE(each.node, last_node) << "ranks go node after node, as mpirun starts them";
          last_node = each.node;
          ++(each.role == Role::worker ? seen_workers : seen_servers).at(static_cast<std::size_t>(each.index));
        }
        EXPECT_THAT(per_node, ::testing::Each(::testing::Ge(1))) << nodes << workers << servers;
        EXPECT_THAT(seen_workers, ::testing::Each(1));
        EXPECT_THAT(seen_servers, ::testing::Each(1));
      }
    }
  }
}

TEST(Layout, KnowsToolkitsByTheirNames) {
  for (const Toolkit each : {Toolkit::none, Toolkit::mpi, Toolkit::pytorch, Toolkit::tensorflow}) {
    EXPECT_EQ(toolkit_named(name_of(each)), each);
  }
  EXPECT_THROW(toolkit_named("Torch"), Error);
}

}  // namespace
}  // namespace lockstep::entrypoint
