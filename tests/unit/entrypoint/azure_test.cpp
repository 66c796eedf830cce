// The environments of jobs inside of Azure, replayed. They are put together from Microsoft's tables (Azure Batch's and
// Batch AI's environment variables, Azure ML's distributed training) and from what users printed; nobody recorded them
// on a cluster of ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

// What a process has after the entrypoint, as the program that --toolkit names.
Environment replayed(Environment given, const Options& options = {}) {
  const RankPlace place = find_place(given, options);
  if (place.toolkit != Toolkit::mpi) drop_mpirun_environment(given);
  add_rank_environment(given, place);
  return given;
}

// Process 5 of 8 on the second of two nodes of an AmlCompute cluster, started by Azure ML's mpirun.
Environment azure_mpi() {
  return {{"AZUREML_RUN_ID", "icy_clam_7xk2p9qv"},
          {"AZUREML_PROCESS_NAME", "rank_5"},
          {"AZUREML_CR_NODE_RANK", "1"},
          {"AZ_BATCHAI_TASK_INDEX", "1"},
          {"AZ_BATCHAI_NUM_GPUS", "4"},
          {"AZ_BATCH_HOST_LIST", "10.0.1.17,10.0.1.18"},
          {"AZ_BATCH_MASTER_NODE", "10.0.1.17:6000"},
          {"AZ_BATCHAI_JOB_MASTER_NODE_IP", "10.0.1.17"},
          {"AZ_BATCHAI_MPI_MASTER_NODE", "10.0.1.17"},
          {"MLFLOW_TRACKING_URI", "azureml://westeurope.api.azureml.ms/mlflow/v1.0/subscriptions/s"},
          {"OMPI_COMM_WORLD_RANK", "5"},
          {"OMPI_COMM_WORLD_SIZE", "8"},
          {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
          {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"},
          {"OMPI_COMM_WORLD_NODE_RANK", "1"},
          {"OMPI_MCA_orte_num_nodes", "2"}};
}

TEST(InsideOfAzure, AnMpiJobFindsItsPlaceAndItsMaster) {
  const Environment before = azure_mpi();
  const Environment after = replayed(before);
  EXPECT_THAT(after, IsSupersetOf(before)) << "nothing of Azure's is replaced";
  EXPECT_THAT(after, IsSupersetOf({Pair("RANK", "5"), Pair("WORLD_SIZE", "8"), Pair("LOCAL_RANK", "1"),
                                   Pair("LOCAL_WORLD_SIZE", "4"), Pair("NODE_RANK", "1"),
                                   Pair("MASTER_ADDR", "10.0.1.17"), Pair("MASTER_PORT", "6105")}));
}

TEST(InsideOfAzure, TheRanksOfMpirunCanBePyTorchs) {
  const Environment after = replayed(azure_mpi(), {.toolkit = Toolkit::pytorch});
  EXPECT_THAT(after, Not(Contains(Key("OMPI_COMM_WORLD_RANK"))));
  EXPECT_THAT(after, IsSupersetOf({Pair("RANK", "5"), Pair("MASTER_ADDR", "10.0.1.17"),
                                   Pair("AZ_BATCHAI_PYTORCH_INIT_METHOD", "tcp://10.0.1.17:6105")}));
}

// Azure ML's `type: pytorch` starts the processes itself and tells them everything.
TEST(InsideOfAzure, APyTorchJobKeepsWhatAzureTellsIt) {
  const Environment before{{"AZUREML_RUN_ID", "icy_clam_7xk2p9qv"},
                           {"AZUREML_CR_NODE_RANK", "1"},
                           {"AZ_BATCH_HOST_LIST", "10.0.1.17,10.0.1.18"},
                           {"AZ_BATCH_MASTER_NODE", "10.0.1.17:6000"},
                           {"MASTER_ADDR", "10.0.1.17"},
                           {"MASTER_PORT", "6105"},
                           {"WORLD_SIZE", "4"},
                           {"RANK", "3"},
                           {"LOCAL_RANK", "1"},
                           {"LOCAL_WORLD_SIZE", "2"},
                           {"NODE_RANK", "1"}};
  const Environment after = replayed(before);
  EXPECT_THAT(after, IsSupersetOf(before));
}

// On one node Azure sets no AZ_BATCH_MASTER_NODE.
TEST(InsideOfAzure, AJobOnOneNodeMeetsOnItsOwnMachine) {
  const Environment after = replayed({{"AZUREML_RUN_ID", "x"},
                                      {"AZ_BATCHAI_MPI_MASTER_NODE", "localhost"},
                                      {"OMPI_COMM_WORLD_RANK", "1"},
                                      {"OMPI_COMM_WORLD_SIZE", "2"},
                                      {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                                      {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
  EXPECT_THAT(after, IsSupersetOf({Pair("MASTER_ADDR", "127.0.0.1"), Pair("AZ_BATCHAI_MPI_MASTER_NODE", "localhost")}));
}

// Azure ML's `type: tensorflow` sets TF_CONFIG, one process a node and no launcher.
TEST(InsideOfAzure, ATensorFlowJobKeepsItsCluster) {
  const std::string config =
      R"({"cluster":{"worker":["10.0.1.17:2222","10.0.1.18:2222"]},"task":{"type":"worker","index":1}})";
  const Environment after =
      replayed({{"AZUREML_RUN_ID", "x"}, {"TF_CONFIG", config}, {"AZUREML_PROCESS_NAME", "worker_1"}});
  EXPECT_THAT(after, Contains(Pair("TF_CONFIG", config)));
  EXPECT_THAT(after, Contains(Pair("AZUREML_PROCESS_NAME", "worker_1")));
}

// Batch AI's customMpi: Intel MPI's mpirun on each of two nodes.
TEST(InsideOfBatchAi, AJobOfIntelMpiFindsItsPlace) {
  const Environment before{{"AZ_BATCHAI_NUM_GPUS", "1"},
                           {"AZ_BATCHAI_MPI_HOST_FILE", "/mnt/batch/tasks/workitems/w/job-1/j/hostfile"},
                           {"AZ_BATCHAI_MOUNT_ROOT", "/mnt/batch/tasks/shared/LS_root/mounts"},
                           {"AZ_BATCHAI_INPUT_DATASET", "/mnt/batch/tasks/shared/LS_root/mounts/external/data"},
                           {"AZ_BATCH_HOST_LIST", "10.0.0.4,10.0.0.5"},
                           {"AZ_BATCH_MASTER_NODE", "10.0.0.4:6000"},
                           {"PMI_RANK", "1"},
                           {"PMI_SIZE", "2"},
                           {"MPI_LOCALRANKID", "0"},
                           {"MPI_LOCALNRANKS", "1"}};
  const Environment after = replayed(before);
  EXPECT_THAT(after, IsSupersetOf(before));
  EXPECT_THAT(after, IsSupersetOf({Pair("RANK", "1"), Pair("NODE_RANK", "1"), Pair("MASTER_ADDR", "10.0.0.4"),
                                   Pair("AZ_BATCHAI_TASK_INDEX", "1")}));
}

}  // namespace
}  // namespace lockstep::entrypoint
