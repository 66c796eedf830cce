// Nodes, ranks, environment, notes, and what this compute refuses.
#include <gmock/gmock.h>

#include "jobs.hpp"

namespace lockstep::plan {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Plan, MakesNodesOfSlotsOfThisMachine) {
  const Plan made = plan(mpi_job("x", 2, 3), machine(8), surroundings());
  EXPECT_THAT(made.nodes, ElementsAre("box/0", "box/1"));
  ASSERT_EQ(made.ranks.size(), 6);
  for (int rank = 0; rank < 6; ++rank) {
    EXPECT_EQ(made.ranks[rank].rank, rank);
    EXPECT_EQ(made.ranks[rank].node, rank / 3);
    EXPECT_EQ(made.ranks[rank].local_rank, rank % 3);
  }
  EXPECT_EQ(made.slots, 6);
  EXPECT_FALSE(made.oversubscribed);
}

TEST(Plan, CallsASingleNodeByTheNameOfTheHost) {
  EXPECT_THAT(plan(job_with("x"), machine(1), surroundings()).nodes, ElementsAre("box"));
}

TEST(Plan, SaysWhenRanksOutnumberSlots) {
  const Plan made = plan(mpi_job("x", 1, 3), machine(2), surroundings());
  EXPECT_TRUE(made.oversubscribed);
  EXPECT_THAT(made.notes, Contains(HasSubstr("3 ranks share 2 slots")));
}

TEST(Plan, AddsTheRunToTheEnvironmentOfASingleRank) {
  EXPECT_EQ(plan(job_with("x"), machine(1), surroundings()).environment,
            (Environment{{"LOCKSTEP_EXPERIMENT_NAME", "iris"},
                         {"LOCKSTEP_RUN_DIR", "/ws/runs/run1"},
                         {"LOCKSTEP_RUN_ID", "run1"},
                         {"PATH", "/opt/lockstep/bin:/usr/bin:/bin"},
                         {"PYTHONUNBUFFERED", "1"}}));
}

TEST(Plan, AddsWhatSeveralRanksNeedAndWhatRootNeeds) {
  auto around = surroundings();
  around.as_root = true;
  EXPECT_EQ(plan(mpi_job("x", 1, 2), machine(2), around).environment,
            (Environment{{"LOCKSTEP_EXPERIMENT_NAME", "iris"},
                         {"LOCKSTEP_RUN_DIR", "/ws/runs/run1"},
                         {"LOCKSTEP_RUN_ID", "run1"},
                         {"OMPI_ALLOW_RUN_AS_ROOT", "1"},
                         {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
                         {"OMP_NUM_THREADS", "1"},
                         {"PATH", "/opt/lockstep/bin:/usr/bin:/bin"},
                         {"PYTHONUNBUFFERED", "1"}}));
  EXPECT_FALSE(plan(job_with("x"), machine(2), around).environment.contains("OMPI_ALLOW_RUN_AS_ROOT"));
}

TEST(Plan, LeavesThreadsAndBufferingToWhoeverChoseThem) {
  auto around = surroundings();
  around.host_environment["OMP_NUM_THREADS"] = "4";
  around.host_environment["PYTHONUNBUFFERED"] = "";
  const Plan by_host = plan(mpi_job("x", 1, 2), machine(2), around);
  EXPECT_FALSE(by_host.environment.contains("OMP_NUM_THREADS"));
  EXPECT_FALSE(by_host.environment.contains("PYTHONUNBUFFERED"));
  EXPECT_THAT(by_host.notes, IsEmpty());
  auto job = mpi_job("x", 1, 2);
  job.environment_variables["OMP_NUM_THREADS"] = "2";
  const Plan by_job = plan(job, machine(2), surroundings());
  EXPECT_EQ(by_job.environment.at("OMP_NUM_THREADS"), "2");
  EXPECT_THAT(by_job.notes, IsEmpty());
}

TEST(Plan, SaysThatItGivesEachRankOneThread) {
  EXPECT_THAT(plan(mpi_job("x", 1, 2), machine(2), surroundings()).notes, ElementsAre(HasSubstr("OMP_NUM_THREADS=1")));
}

TEST(Plan, PutsItsFolderInFrontOfPathOnce) {
  auto around = surroundings();
  around.host_environment["PATH"] = "/bin:/opt/lockstep/bin";
  EXPECT_EQ(plan(job_with("x"), machine(1), around).environment.at("PATH"), "/bin:/opt/lockstep/bin");
  auto job = job_with("x");
  job.environment_variables["PATH"] = "/mine";
  EXPECT_EQ(plan(job, machine(1), around).environment.at("PATH"), "/opt/lockstep/bin:/mine");
}

TEST(Plan, NamesAssetsInTheEnvironmentAndResolvesReferencesThere) {
  auto job = job_with("x");
  job.inputs["lr"] = literal("0.1");
  job.inputs["data"] = asset("file:./d", spec::AssetType::uri_folder);
  job.outputs["model"].path = "out/${{name}}";
  job.environment_variables["RATE"] = "${{inputs.lr}}/${{outputs.model}}";
  const Environment made = plan(job, machine(1), surroundings()).environment;
  EXPECT_EQ(made.at("AZURE_ML_INPUT_data"), "/home/ada/iris/d");
  EXPECT_EQ(made.at("AZUREML_DATAREFERENCE_data"), "/home/ada/iris/d");
  EXPECT_EQ(made.at("AZURE_ML_OUTPUT_model"), "/home/ada/iris/out/run1");
  EXPECT_EQ(made.at("RATE"), "0.1//home/ada/iris/out/run1");
  EXPECT_FALSE(made.contains("AZURE_ML_INPUT_lr"));
}

TEST(Plan, TakesALiteralThatLooksLikeAnAddressForALiteral) {
  auto job = job_with("echo ${{inputs.url}}");
  job.inputs["url"] = literal("https://example.org/iris.csv");
  const Plan made = plan(job, machine(1), surroundings());
  EXPECT_EQ(made.inputs[0].how, InputStep::How::literal);
  EXPECT_EQ(made.argv.back(), "echo https://example.org/iris.csv");
}

TEST(Plan, HandsADirectWebInputOverAsItsAddress) {
  auto job = job_with("echo ${{inputs.url}}");
  job.inputs["url"] = asset("https://example.org/iris.csv", spec::AssetType::uri_file);
  job.inputs["url"].mode = spec::InputMode::direct;
  EXPECT_EQ(plan(job, machine(1), surroundings()).argv.back(), "echo https://example.org/iris.csv");
}

TEST(Plan, NotesWhatIsOnlyRecorded) {
  auto job = job_with("x");
  job.environment.image = "ubuntu";
  job.services["tb"].type = "tensor_board";
  job.resources.instance_type = "STANDARD_D2";
  job.resources.shm_size = "4g";
  job.identity_type = "managed";
  job.queue_job_tier = "spot";
  EXPECT_THAT(plan(job, machine(1), surroundings()).notes,
              ElementsAre(HasSubstr("environment is recorded only"), HasSubstr("not started: tb"),
                          AllOf(HasSubstr("resources.instance_type, resources.shm_size, identity, queue_settings"))));
}

TEST(Plan, NotesAnUnquotedPathThatAShellWouldTakeApart) {
  auto job = job_with("cat ${{inputs.a}} \"${{inputs.b}}\"");
  job.inputs["a"] = asset("my data", spec::AssetType::uri_folder);
  job.inputs["b"] = asset("my data", spec::AssetType::uri_folder);
  EXPECT_THAT(plan(job, machine(1), surroundings()).notes, ElementsAre(HasSubstr("${{inputs.a}} becomes a path")));
}

TEST(Plan, IsTheSameForTheSameJobWhateverTheProcessHas) {
  auto job = mpi_job("train ${{inputs.d}}", 2, 2);
  job.inputs["d"] = asset("d", spec::AssetType::uri_folder);
  ASSERT_EQ(::setenv("OMP_NUM_THREADS", "7", 1), 0);
  const std::string first = to_json(plan(job, machine(2), surroundings())).dump();
  ASSERT_EQ(::unsetenv("OMP_NUM_THREADS"), 0);
  EXPECT_EQ(to_json(plan(job, machine(2), surroundings())).dump(), first);
  EXPECT_THAT(first, Not(HasSubstr("OMP_NUM_THREADS=7")));
}

struct RefusedInput {
  const char* path;
  const char* says;
};

TEST(Plan, SaysWhatAnInputOutOfReachWouldNeed) {
  const RefusedInput cases[] = {
      {"azureml:iris@latest", "a registered asset"},
      {"azureml:iris:3", "a registered asset"},
      {"azureml://datastores/d/paths/x", "a path on a datastore"},
      {"azureml://registries/r/models/m/versions/1", "an asset of a registry"},
      {"azureml://jobs/j/outputs/o/paths/p", "an output of another job"},
      {"runs:/abc/model", "an artifact of another run"},
      {"wasbs://c@a.blob.core.windows.net/x", "cloud storage"},
      {"abfss://fs@a.dfs.core.windows.net/x", "cloud storage"},
      {"ADL://a/x", "cloud storage"},
      {"git+https://example.org/x.git", "a git repository"},
      {"gopher://example.org/x", "a kind that this version does not know"},
      {"https://example.org/folder/", "the web has no folders"},
  };
  for (const auto& each : cases) {
    auto job = job_with("x");
    job.inputs["data"] = asset(each.path, spec::AssetType::uri_folder);
    EXPECT_THAT(refusal(job),
                AllOf(::testing::StartsWith("inputs.data.path: '"), HasSubstr(each.path), HasSubstr(each.says)));
  }
}

TEST(Plan, ReportsEverythingItRefusesAtOnce) {
  auto job = job_with("x");
  job.distribution.type = spec::DistributionType::tensorflow;
  job.distribution.worker_count = 1;
  job.resources.instance_count = 2;
  job.code = "git+https://example.org/x.git";
  job.inputs["a"] = asset("azureml:a:1", spec::AssetType::uri_folder);
  job.outputs["o"].path = "azureml://datastores/d/paths/o";
  job.environment_variables["LOCKSTEP_RUN_ID"] = "mine";
  const std::string said = refusal(job);
  for (const char* key : {"resources.instance_count: 2 nodes", "code: 'git+",
                          "inputs.a.path: ", "outputs.o.path: ", "environment_variables.LOCKSTEP_RUN_ID: "}) {
    EXPECT_THAT(said, HasSubstr(key));
  }
}

TEST(Plan, RefusesMoreRanksThanOneMachineCanStart) {
  EXPECT_EQ(refusal(mpi_job("x", 512, 2)), "");
  EXPECT_THAT(refusal(mpi_job("x", 2147483647, 2147483647)), HasSubstr("one machine runs 1 to 1024"));
  EXPECT_EQ(refusal(tensorflow_job("x", 1, 1000, 24)), "");
  EXPECT_THAT(refusal(tensorflow_job("x", 1, 2147483647, 2147483647)), HasSubstr("one machine runs 1 to 1024"));
}

}  // namespace
}  // namespace lockstep::plan
