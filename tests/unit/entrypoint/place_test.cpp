#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {
namespace {

// rank, size, node, node_count, local_rank, local_size
using Numbers = std::array<int, 6>;

Numbers place_of(const Environment& environment, std::optional<int> procs_per_node = std::nullopt) {
  const RankPlace p = find_place(environment, {.procs_per_node = procs_per_node});
  return {p.rank, p.size, p.node, p.node_count, p.local_rank, p.local_size};
}

Environment open_mpi(int rank, int size, int local_rank, int local_size, int nodes) {
  return {{"OMPI_COMM_WORLD_RANK", std::to_string(rank)},
          {"OMPI_COMM_WORLD_SIZE", std::to_string(size)},
          {"OMPI_COMM_WORLD_LOCAL_RANK", std::to_string(local_rank)},
          {"OMPI_COMM_WORLD_LOCAL_SIZE", std::to_string(local_size)},
          {"OMPI_COMM_WORLD_NODE_RANK", "7"},
          {"OMPI_MCA_orte_num_nodes", std::to_string(nodes)}};
}

TEST(FindPlace, IsRankZeroOfOneWithoutALauncher) { EXPECT_EQ(place_of({}), (Numbers{0, 1, 0, 1, 0, 1})); }

TEST(FindPlace, ReadsOpenMpi) {
  EXPECT_EQ(place_of(open_mpi(2, 4, 2, 4, 1)), (Numbers{2, 4, 0, 1, 2, 4}));
  EXPECT_EQ(place_of(open_mpi(5, 6, 1, 2, 3)), (Numbers{5, 6, 2, 3, 1, 2}));
}

TEST(FindPlace, DerivesNodesOfOneMachineFromRanksPerNode) {
  EXPECT_EQ(place_of(open_mpi(0, 4, 0, 4, 1), 2), (Numbers{0, 4, 0, 2, 0, 2}));
  EXPECT_EQ(place_of(open_mpi(3, 4, 3, 4, 1), 2), (Numbers{3, 4, 1, 2, 1, 2}));
  EXPECT_EQ(place_of(open_mpi(4, 5, 4, 5, 1), 2), (Numbers{4, 5, 2, 3, 0, 1})) << "the last node has fewer";
  EXPECT_EQ(place_of({}, 1), (Numbers{0, 1, 0, 1, 0, 1}));
}

TEST(FindPlace, ReadsIntelMpi) {
  EXPECT_EQ(place_of({{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}}),
            (Numbers{3, 4, 1, 2, 1, 2}));
}

TEST(FindPlace, ReadsAStepOfSlurmButNoBatchScript) {
  const Environment step{{"SLURM_PROCID", "5"},  {"SLURM_STEP_NUM_TASKS", "6"}, {"SLURM_LOCALID", "1"},
                         {"SLURM_NODEID", "2"},  {"SLURM_STEP_NUM_NODES", "3"}, {"PMIX_RANK", "5"},
                         {"SLURM_NTASKS", "100"}};
  EXPECT_EQ(place_of(step), (Numbers{5, 6, 2, 3, 1, 2}));
  EXPECT_EQ(place_of({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}), (Numbers{0, 1, 0, 1, 0, 1}));
}

TEST(FindPlace, TrustsMpirunInsideOfSlurm) {
  Environment both = open_mpi(1, 2, 1, 2, 1);
  both.insert({{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}});
  EXPECT_EQ(place_of(both), (Numbers{1, 2, 0, 1, 1, 2}));
}

TEST(FindPlace, ReadsTorchOutsideOfARunOnly) {
  Environment torch{
      {"RANK", "3"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "2"}, {"NODE_RANK", "1"}};
  EXPECT_EQ(place_of(torch), (Numbers{3, 4, 1, 2, 1, 2}));
  torch["LOCKSTEP_RUN_DIR"] = "/somewhere";  // now they are an export of the shell that submitted
  EXPECT_EQ(place_of(torch), (Numbers{0, 1, 0, 1, 0, 1}));
}

TEST(FindPlace, RefusesWhatIsNoPlace) {
  for (const char* rank : {"", "x", "-1", "1x", "99999999999999999999", "1.5"}) {
    try {
      place_of({{"OMPI_COMM_WORLD_RANK", rank}, {"OMPI_COMM_WORLD_SIZE", "2"}});
      ADD_FAILURE() << rank;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("OMPI_COMM_WORLD_RANK")) << rank;
    }
  }
  EXPECT_THROW(place_of({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "2"}}), Error);
  EXPECT_THROW(place_of({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "0"}}), Error);
  EXPECT_THROW(place_of({}, 0), Error);
}

TEST(FindPlace, TakesNodesOfATensorFlowJobFromItsOptions) {
  const Options options{.toolkit = Toolkit::tensorflow, .nodes = 2, .workers = 3, .parameter_servers = 1};
  const auto numbers = [&](int rank) {
    const RankPlace p = find_place(open_mpi(rank, 4, rank, 4, 1), options);
    return Numbers{p.rank, p.size, p.node, p.node_count, p.local_rank, p.local_size};
  };
  EXPECT_EQ(numbers(1), (Numbers{1, 4, 0, 2, 1, 3}));
  EXPECT_EQ(numbers(3), (Numbers{3, 4, 1, 2, 0, 1}));
  EXPECT_THROW(find_place(open_mpi(0, 5, 0, 5, 1), options), Error) << "not the processes that were started";
}

TEST(FindPlace, TakesAllTasksForWorkersWhenNobodySaysOtherwise) {
  const RankPlace place = find_place(open_mpi(1, 3, 1, 3, 1), {.toolkit = Toolkit::tensorflow, .parameter_servers = 1});
  EXPECT_EQ(place.tasks.size(), 3U);
  EXPECT_EQ(place.tasks[2].role, Role::parameter_server);
  EXPECT_THROW(find_place({}, {.toolkit = Toolkit::tensorflow, .parameter_servers = 1}), Error) << "no worker";
}

}  // namespace
}  // namespace lockstep::entrypoint
