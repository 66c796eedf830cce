#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "common/error.hpp"
#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

constexpr const char* page_file = LOCKSTEP_SOURCE_DIR "/docs/environment.md";

Environment rank_environment(Environment given, const RankPlace& place) {
  add_rank_environment(given, place);
  return given;
}

const RankPlace third_of_four{.rank = 3, .size = 4, .node = 1, .node_count = 2, .local_rank = 1, .local_size = 2};

// The variables that Azure ML documents for its jobs, written down here by hand.
TEST(EnvironmentTable, HasARowForEachVariableOfAzureMl) {
  std::set<std::string> names;
  for (const auto& row : environment_table()) EXPECT_TRUE(names.insert(row.name).second) << row.name << " twice";
  for (const char* name : {"MASTER_ADDR",
                           "MASTER_PORT",
                           "WORLD_SIZE",
                           "RANK",
                           "LOCAL_RANK",
                           "NODE_RANK",
                           "TF_CONFIG",
                           "OMPI_COMM_WORLD_RANK",
                           "OMPI_COMM_WORLD_SIZE",
                           "OMPI_COMM_WORLD_LOCAL_RANK",
                           "OMPI_COMM_WORLD_LOCAL_SIZE",
                           "OMPI_COMM_WORLD_NODE_RANK",
                           "PMI_RANK",
                           "AZ_BATCH_MASTER_NODE",
                           "AZ_BATCHAI_MPI_MASTER_NODE",
                           "AZ_BATCH_HOST_LIST",
                           "AZ_BATCHAI_JOB_MASTER_NODE_IP",
                           "AZUREML_RUN_ID",
                           "AZUREML_EXPERIMENT_ID",
                           "AZUREML_ARM_SUBSCRIPTION",
                           "AZUREML_ARM_RESOURCEGROUP",
                           "AZUREML_ARM_WORKSPACE_NAME",
                           "AZUREML_ARM_PROJECT_NAME",
                           "AZUREML_WORKSPACE_ID",
                           "AZUREML_WORKSPACE_NAME",
                           "AZUREML_SERVICE_ENDPOINT",
                           "AZUREML_RUN_TOKEN",
                           "AZUREML_RUN_TOKEN_EXPIRY",
                           "AZUREML_RUN_HISTORY_SERVICE_ENDPOINT",
                           "AZUREML_DISCOVERY_SERVICE_ENDPOINT",
                           "AZUREML_EXPERIMENT_SCOPE",
                           "AZUREML_WORKSPACE_SCOPE",
                           "AZUREML_FRAMEWORK",
                           "AZUREML_PROCESS_NAME",
                           "AZUREML_CR_NODE_RANK",
                           "AZUREML_DATAREFERENCE_<name>",
                           "AZUREML_SCRIPT_DIRECTORY_NAME",
                           "AZUREML_CONDA_ENVIRONMENT_PATH",
                           "MLFLOW_TRACKING_URI",
                           "MLFLOW_TRACKING_TOKEN",
                           "MLFLOW_RUN_ID",
                           "MLFLOW_EXPERIMENT_ID",
                           "MLFLOW_EXPERIMENT_NAME",
                           "AZURE_ML_INPUT_<name>",
                           "AZURE_ML_OUTPUT_<name>",
                           "AZUREML_MODEL_DIR",
                           "AZUREML_ENTRY_SCRIPT",
                           "AZUREML_BI_OUTPUT_PATH",
                           "LOCKSTEP_RUN_ID",
                           "LOCKSTEP_RUN_DIR",
                           "LOCKSTEP_EXPERIMENT_NAME",
                           "LOCKSTEP_NODES",
                           "LOCKSTEP_STOPPABLE_FILE"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(EnvironmentTable, SaysWhyARowIsNotSet) {
  for (const auto& row : environment_table()) {
    EXPECT_FALSE(row.meaning.empty()) << row.name;
    if (row.status == VariableRow::Status::set) continue;
    EXPECT_THAT(row.meaning, ::testing::HasSubstr(": ")) << row.name;
    EXPECT_EQ(row.value, nullptr) << row.name;
  }
}

TEST(RankEnvironment, HasTheRanksPlace) {
  const auto got = rank_environment({{"LOCKSTEP_NODES", "10.0.0.4,10.0.0.5"}}, third_of_four);
  EXPECT_THAT(got, ::testing::IsSupersetOf(
                       {Pair("RANK", "3"), Pair("WORLD_SIZE", "4"), Pair("NODE_RANK", "1"), Pair("LOCAL_RANK", "1"),
                        Pair("LOCAL_WORLD_SIZE", "2"), Pair("MASTER_ADDR", "10.0.0.4"), Pair("MASTER_PORT", "6105"),
                        Pair("AZUREML_PROCESS_NAME", "rank_3"), Pair("AZUREML_CR_NODE_RANK", "1")}));
}

TEST(RankEnvironment, NamesNoMasterWhereNobodySaysWhereTheNodesAre) {
  const auto got = rank_environment({{"OMPI_COMM_WORLD_RANK", "3"}}, third_of_four);
  for (const char* name : {"MASTER_ADDR", "AZ_BATCH_MASTER_NODE", "AZ_BATCHAI_MPI_MASTER_NODE", "AZ_BATCH_HOST_LIST"}) {
    EXPECT_THAT(got, Not(Contains(Key(name))));
  }
}

TEST(RankEnvironment, LeavesMpirunsVariablesUntouched) {
  const Environment given{
      {"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "3"}, {"LOCKSTEP_NODES", "127.0.0.1,127.0.0.1"}};
  const auto got = rank_environment(given, third_of_four);
  EXPECT_THAT(got, Contains(Pair("OMPI_COMM_WORLD_LOCAL_RANK", "3")));
  EXPECT_THAT(got, Contains(Pair("AZ_BATCH_MASTER_NODE", "127.0.0.1:6105")));
  EXPECT_THAT(got, Contains(Pair("AZ_BATCHAI_MPI_MASTER_NODE", "127.0.0.1")));
  EXPECT_THAT(got, Contains(Pair("AZ_BATCH_HOST_LIST", "127.0.0.1,127.0.0.1"))) << "one entry a node";
}

TEST(RankEnvironment, NamesASingleProcessMain) {
  EXPECT_THAT(rank_environment({}, {}), Contains(Pair("AZUREML_PROCESS_NAME", "main")));
  EXPECT_THAT(rank_environment({}, {}), Not(Contains(Key("AZ_BATCH_MASTER_NODE"))));
  EXPECT_THAT(rank_environment({{"OMPI_COMM_WORLD_RANK", "0"}}, {}), Contains(Pair("AZUREML_PROCESS_NAME", "rank_0")));
}

TEST(RankEnvironment, HasTheRunOnlyInsideOfOne) {
  EXPECT_THAT(rank_environment({}, {}), Not(Contains(Key("AZUREML_RUN_ID"))));
  const auto got = rank_environment({{"LOCKSTEP_RUN_ID", "kind_owl"}, {"LOCKSTEP_EXPERIMENT_NAME", "birds"}}, {});
  EXPECT_THAT(got, Contains(Pair("AZUREML_RUN_ID", "kind_owl")));
  EXPECT_THAT(got, Contains(Pair("AZUREML_EXPERIMENT_NAME", "birds")));
}

TEST(RankEnvironment, BelievesAMeetingPointThatTheJobNames) {
  const auto got = rank_environment(
      {{"MASTER_PORT", "29500"}, {"MASTER_ADDR", "10.0.0.4"}, {"OMPI_COMM_WORLD_RANK", "3"}}, third_of_four);
  EXPECT_THAT(got, Contains(Pair("MASTER_PORT", "29500")));
  EXPECT_THAT(got, Contains(Pair("AZ_BATCH_MASTER_NODE", "10.0.0.4:29500")));
}

// Rank 1 of two workers and a parameter server on two nodes: the parameter server of the first node.
const RankPlace parameter_server{.rank = 1,
                                 .size = 3,
                                 .node = 0,
                                 .node_count = 2,
                                 .local_rank = 1,
                                 .local_size = 2,
                                 .toolkit = Toolkit::tensorflow,
                                 .tasks = tasks_of({Toolkit::tensorflow, 2, 1, 2, 1})};

TEST(RankEnvironment, OfATensorFlowJobHasItsCluster) {
  const auto got =
      rank_environment({{"LOCKSTEP_NODES", "10.0.0.4,10.0.0.5"}, {"MASTER_PORT", "7000"}}, parameter_server);
  EXPECT_THAT(got, Contains(Pair("TF_CONFIG", R"({"cluster":{"worker":["10.0.0.4:7000","10.0.0.5:7002"],)"
                                              R"("ps":["10.0.0.4:7001"]},"task":{"type":"ps","index":0},)"
                                              R"("environment":"cloud"})")));
  EXPECT_THAT(got, Contains(Pair("AZ_BATCHAI_WORKER_HOSTS", "10.0.0.4:7000,10.0.0.5:7002")));
  EXPECT_THAT(got, Contains(Pair("AZ_BATCHAI_PS_HOSTS", "10.0.0.4:7001")));
  EXPECT_THAT(got, Contains(Pair("AZ_BATCHAI_TASK_INDEX", "0")));
  EXPECT_THAT(got, Contains(Pair("AZUREML_PROCESS_NAME", "ps_0")));
}

TEST(RankEnvironment, OfATensorFlowJobNeedsAPortThatIsOne) {
  for (const char* port : {"x", "0", "65536", "80x"}) {
    EXPECT_THROW(rank_environment({{"MASTER_PORT", port}}, parameter_server), Error) << port;
    EXPECT_THAT(rank_environment({{"MASTER_PORT", port}}, {}), Contains(Pair("MASTER_PORT", port)))
        << "others are asked";
  }
}

TEST(RankEnvironment, OfAPyTorchJobHasItsMeetingPoint) {
  RankPlace place = third_of_four;
  place.toolkit = Toolkit::pytorch;
  const auto got = rank_environment({{"LOCKSTEP_NODES", "10.0.0.4,10.0.0.5"}}, place);
  EXPECT_THAT(got, Contains(Pair("AZ_BATCHAI_PYTORCH_INIT_METHOD", "tcp://10.0.0.4:6105")));
  EXPECT_THAT(got, Contains(Pair("AZ_BATCHAI_TASK_INDEX", "3")));
  EXPECT_THAT(got, Not(Contains(Key("TF_CONFIG"))));
}

// What Azure's own containers have is not replaced.
TEST(RankEnvironment, KeepsWhatAzureHasSet) {
  const Environment azure{{"OMPI_COMM_WORLD_RANK", "3"},
                          {"AZ_BATCH_MASTER_NODE", "10.0.0.5:6000"},
                          {"AZ_BATCH_HOST_LIST", "10.0.0.4,10.0.0.5"},
                          {"AZ_BATCHAI_MPI_MASTER_NODE", "10.0.0.5"},
                          {"AZ_BATCHAI_JOB_MASTER_NODE_IP", "10.0.0.5"}};
  const auto got = rank_environment(azure, third_of_four);
  EXPECT_THAT(got, ::testing::IsSupersetOf(azure));
  EXPECT_THAT(got, Contains(Pair("MASTER_ADDR", "10.0.0.5")));
}

TEST(RankEnvironment, SetsNothingThatTheTableDoesNot) {
  std::set<std::string> may_be_set;
  for (const auto& row : environment_table()) {
    if (row.status != VariableRow::Status::not_set) may_be_set.insert(row.name);
  }
  for (const auto& [name, value] : rank_environment({}, third_of_four)) EXPECT_TRUE(may_be_set.contains(name)) << name;
}

TEST(RankEnvironment, OfAnOuterRankDoesNotReachAnInnerRun) {
  Environment outer = rank_environment({{"OMPI_COMM_WORLD_RANK", "3"},
                                        {"OMPI_MCA_ess_base_jobid", "12"},
                                        {"OMPI_MCA_orte_hnp_uri", "tcp://"},
                                        {"PMIX_RANK", "3"},
                                        {"LOCKSTEP_RUN_ID", "outer"},
                                        {"OMPI_MCA_btl", "self,tcp"},
                                        {"HOME", "/home/ada"}},
                                       third_of_four);
  drop_rank_environment(outer);
  EXPECT_THAT(outer, ::testing::UnorderedElementsAre(Pair("LOCKSTEP_RUN_ID", "outer"), Pair("OMPI_MCA_btl", "self,tcp"),
                                                     Pair("HOME", "/home/ada")))
      << "the outer run's id stays: ending it ends what it started";
  Environment shell{{"RANK", "3"}, {"MASTER_PORT", "1"}};
  drop_rank_environment(shell);
  EXPECT_EQ(shell.size(), 2U) << "in no rank: a person's own";
}

TEST(EnvironmentPage, IsMadeFromTheTable) {
  if (std::getenv("LOCKSTEP_WRITE_DOCS") != nullptr) write_file_atomically(page_file, environment_page());
  EXPECT_EQ(read_file(page_file), environment_page())
      << "write it anew: LOCKSTEP_WRITE_DOCS=1 test_entrypoint --gtest_filter=EnvironmentPage.*";
}

}  // namespace
}  // namespace lockstep::entrypoint
