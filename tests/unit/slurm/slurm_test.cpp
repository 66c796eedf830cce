// What Slurm is asked, and what its answers (recorded from Slurm 22.05) mean.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "common/error.hpp"
#include "common/process.hpp"
#include "launcher/slurm/allocation.hpp"
#include "launcher/slurm/commands.hpp"
#include "launcher/slurm/grace.hpp"
#include "launcher/slurm/nodes.hpp"
#include "launcher/slurm/queue.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::slurm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

spec::SlurmEngine engine() {
  spec::SlurmEngine engine;
  engine.config_file = "/etc/slurm/slurm.conf";
  engine.partition = "gpu";
  engine.account = "vision";
  engine.options = {"--gres=gpu:4"};
  return engine;
}

TEST(SlurmCommands, AskForWholeNodes) {
  EXPECT_THAT(
      salloc_argv(engine(), {.name = "lockstep-run1", .nodes = 2, .minutes = 75, .without = {"n3", "n4"}}),
      ElementsAre("salloc", "--no-shell", "--wait-all-nodes=1", "--job-name=lockstep-run1", "--nodes=2", "--exclusive",
                  "--partition=gpu", "--account=vision", "--time=75", "--exclude=n3,n4", "--gres=gpu:4"));
  EXPECT_THAT(step_argv(7, "n1", {"sh", "-c", "echo \"$1\""}),
              ElementsAre("srun", "--jobid=7", "--overlap", "--quiet", "--mpi=none", "--mem=0", "--nodes=1",
                          "--ntasks=1", "--nodelist=n1", "sh", "-c", "echo \"$1\""));
}

TEST(SlurmCommands, AskForAsManyLicensesAsARunHasCores) {
  spec::SlurmEngine licensed = engine();
  licensed.license = "ds_cores";
  EXPECT_THAT(test_argv(licensed, {.name = "r", .nodes = 2, .cores = 8}), Contains("--licenses=ds_cores:8"));
  EXPECT_THAT(salloc_argv(licensed, {.name = "r", .nodes = 2, .cores = 8}), Contains("--licenses=ds_cores:8"));
  EXPECT_THAT(salloc_argv(engine(), {.name = "r", .nodes = 4, .least_nodes = 2}), Contains("--nodes=2-4"));
  EXPECT_THAT(salloc_argv(engine(), {.name = "r", .nodes = 4, .least_nodes = 4}), Contains("--nodes=4"));
  for (const auto& word : salloc_argv(engine(), {.name = "r", .nodes = 2, .cores = 8})) {
    EXPECT_FALSE(word.starts_with("--licenses")) << word;
  }
}

TEST(SlurmAllocation, IsPreemptedFromTheWarningOn) {
  EXPECT_TRUE(
      was_preempted("JobId=7 JobState=RUNNING Reason=None PreemptEligibleTime=2026-11-29T18:20:11 "
                    "PreemptTime=2026-11-29T18:20:21 Partition=low"));
  EXPECT_TRUE(was_preempted("JobId=7 JobState=PREEMPTED Reason=None"));
  EXPECT_FALSE(was_preempted("JobId=7 JobState=CANCELLED PreemptEligibleTime=2026-11-29T18:20:11 PreemptTime=None"));
  EXPECT_FALSE(was_preempted("PreemptTime="));
}

TEST(SlurmGrace, IsTheNamedPartitionsOrTheDefaultOnes) {
  const std::string partitions =
      "PartitionName=main AllowGroups=ALL Default=YES GraceTime=0 Hidden=NO PreemptMode=REQUEUE State=UP\n"
      "PartitionName=low AllowGroups=ALL Default=NO GraceTime=20 Hidden=NO PreemptMode=REQUEUE State=UP\n"
      "PartitionName=dedicated AllowGroups=ALL Default=NO GraceTime=0 Hidden=NO PreemptMode=OFF State=UP\n";
  const std::string config =
      "Configuration data as of x\nKillOnBadExit           = 0\nKillWait                = 5 sec\n";
  EXPECT_EQ(read_grace(partitions, config, "low"), (Grace{"low", 20, 5}));
  EXPECT_EQ(read_grace(partitions, config, ""), (Grace{"main", 0, 5}));
  EXPECT_EQ(read_grace(partitions, config, "dedicated"), std::nullopt);
  EXPECT_EQ(read_grace(partitions, config, "other"), std::nullopt);
  EXPECT_EQ(read_grace("No partitions in the system\n", "", ""), std::nullopt);
}

TEST(SlurmCommands, AreNotLedAstrayByAnAllocationThatWeWereStartedIn) {
  ::setenv("SLURM_JOB_ID", "1", 1);
  ::setenv("SLURM_NNODES", "9", 1);
  const auto environment = environment_for(engine());
  ::unsetenv("SLURM_JOB_ID");
  ::unsetenv("SLURM_NNODES");
  EXPECT_FALSE(environment.contains("SLURM_JOB_ID"));
  EXPECT_FALSE(environment.contains("SLURM_NNODES"));
  EXPECT_EQ(environment.at("SLURM_CONF"), "/etc/slurm/slurm.conf");
}

TEST(SlurmCommands, TellMpirunOfTheAllocation) {
  const auto told = allocation_environment(7, {"n1", "n2"}, 4);
  EXPECT_EQ(told.at("SLURM_JOBID"), "7");
  EXPECT_EQ(told.at("SLURM_NODELIST"), "n1,n2");
  EXPECT_EQ(told.at("SLURM_TASKS_PER_NODE"), "4(x2)");
}

constexpr const char* squeue =
    "4|PENDING|Resources|2||main|100|normal|vision|lockstep-d\n"
    "5|PENDING|Priority|1||main|90|normal|vision|someone|else's\n"
    "3|CONFIGURING|None|2|c[1-2]|cloud|80|N/A|(null)|lockstep-c\n"
    "6|PENDING|Licenses|1||main|90|normal|vision|lockstep-e\n"
    "7_[1-9]|PENDING|Priority|1||main|99|normal|vision|array\n"
    "no row\n"
    "2|RUNNING|None|2|n[1-2]|main|70|normal|vision|lockstep-b\n";

TEST(SlurmQueue, IsReadWithoutWhatIsNoJobOfItsOwn) {
  const auto rows = read_queue(squeue);
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[1], (QueueRow{5, "PENDING", "Priority", 1, "", "main", 90, "normal", "vision", "someone|else's"}));
  EXPECT_EQ(rows[4].node_list, "n[1-2]");
}

TEST(SlurmQueue, SaysWhereARunStandsAndWhatItWaitsFor) {
  const auto rows = read_queue(squeue);
  EXPECT_EQ(queue_text(rows, 4), "it is the next; it needs 2 nodes of main: all nodes that fit are taken");
  EXPECT_EQ(queue_text(rows, 6), "2 jobs wait before it; it needs 1 node of main: its licenses are in use");
  EXPECT_EQ(queue_text(rows, 6, "ds_cores:8"),
            "2 jobs wait before it; it needs 1 node of main: too few of its licenses are free (ds_cores:8)");
  EXPECT_EQ(queue_text(rows, 4, "ds_cores:8"), queue_text(rows, 4));
  EXPECT_EQ(queue_text(rows, 4, "", "waiting for cores of QOS small (limit 8, in use 6)"),
            "it is the next; it needs 2 nodes of main: waiting for cores of QOS small (limit 8, in use 6)");
  EXPECT_EQ(queue_text(rows, 3), "2 nodes of cloud: they are starting");
  EXPECT_EQ(queue_text(rows, 2), "") << "it runs";
  EXPECT_EQ(queue_text(rows, 99), "");
}

TEST(SlurmQueue, IsAskedAgainForAJobThatIsYoungerThanTheLastAnswer) {
  const lockstep::testing::TemporaryFolder folder;
  fs::create_directory(folder / "bin");
  lockstep::testing::write_text(folder / "bin/squeue", fmt::format("#!/bin/sh\ncat {}\n", (folder / "rows").string()));
  fs::permissions(folder / "bin/squeue", fs::perms::owner_all);
  const std::string path = value_of(current_environment(), "PATH");
  ::setenv("PATH", ((folder / "bin").string() + ":" + path).c_str(), 1);
  const std::string old_row = "7|RUNNING|None|1|n1|main|5|normal|vision|lockstep-old\n";
  lockstep::testing::write_text(folder / "rows", old_row);
  EXPECT_EQ(queue(engine(), folder / "kept").size(), 1U);
  lockstep::testing::write_text(folder / "rows",
                                old_row + "8|PENDING|Resources|1||main|4|normal|vision|lockstep-new\n");
  EXPECT_EQ(queue_text(queue(engine(), folder / "kept", 8), 8),
            "it is the next; it needs 1 node of main: all nodes that fit are taken");
  ::setenv("PATH", path.c_str(), 1);
}

TEST(SlurmNodes, HaveTheStatesOfAnAzureCluster) {
  const auto nodes = read_nodes(
      "n1|idle|8|64000|gpu:4|10.0.0.1|none\n"
      "n1|idle|8|64000|gpu:4|10.0.0.1|none\n"
      "n2|allocated|8|64000|(null)|n2|none\n"
      "n3|down*|8|64000|(null)|n3|Not responding\n"
      "n4|drained|8|64000|(null)|n4|disk | broken\n"
      "c1|idle~|2|1000|(null)|c1|none\n"
      "c2|allocated#|2|1000|(null)|c2|none\n"
      "c3|idle%|2|1000|(null)|c3|none\n"
      "c4|down~|2|1000|(null)|c4|ResumeTimeout reached\n"
      "no row\n");
  std::vector<std::string> told;
  for (const auto& each : nodes)
    told.push_back(each.name + " " + each.state + (each.reason.empty() ? "" : ": " + each.reason));
  EXPECT_THAT(told, ElementsAre("n1 idle", "n2 running", "n3 unusable: it does not answer: Not responding",
                                "n4 unusable: disk | broken", "c1 off", "c2 preparing", "c3 leaving",
                                "c4 unusable: ResumeTimeout reached"));
  EXPECT_EQ(nodes[0].memory_bytes, std::int64_t{64000} << 20);
  EXPECT_EQ(nodes[0].gres, "gpu:4");
  EXPECT_EQ(job_on(read_queue(squeue), "n2"), "b");
  EXPECT_EQ(job_on(read_queue(squeue), "n9"), "");
}

TEST(SlurmAllocation, ThatWasNotedIsGivenBackOnceAndNothingElseIs) {
  const lockstep::testing::TemporaryFolder folder;
  EXPECT_NO_THROW(give_back_noted(folder / "allocation.json")) << "there is none";
  lockstep::testing::write_text(folder / "allocation.json", R"({"job_name":""})");
  EXPECT_NO_THROW(give_back_noted(folder / "allocation.json"));
}

}  // namespace
}  // namespace lockstep::slurm
