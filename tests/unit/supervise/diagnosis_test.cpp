#include "launcher/supervise/diagnosis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/entrypoint/preparation.hpp"
#include "launcher/processes/mpirun_report.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/supervise/wait_status.hpp"

namespace lockstep::supervise {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Said by Open MPI 4.1.4.
constexpr const char* primary_job =
    R"(--------------------------------------------------------------------------
Primary job  terminated normally, but 1 process returned
a non-zero exit code. Per user-direction, the job has been aborted.
--------------------------------------------------------------------------
)";
constexpr const char* rank_1_killed =
    R"(--------------------------------------------------------------------------
Primary job  terminated normally, but 1 process returned
a non-zero exit code. Per user-direction, the job has been aborted.
--------------------------------------------------------------------------
--------------------------------------------------------------------------
mpirun noticed that process rank 1 with PID 0 on node vm exited on signal 9 (Killed).
--------------------------------------------------------------------------
)";
constexpr const char* rank_12_exited_3 =
    R"(--------------------------------------------------------------------------
Primary job  terminated normally, but 1 process returned
a non-zero exit code. Per user-direction, the job has been aborted.
--------------------------------------------------------------------------
--------------------------------------------------------------------------
mpirun detected that one or more processes exited with non-zero status, thus causing
the job to be terminated. The first process to do so was:

  Process name: [[19112,1],12]
  Exit code:    3
--------------------------------------------------------------------------
)";
constexpr const char* rank_1_aborted =
    R"(--------------------------------------------------------------------------
MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD
with errorcode 5.

NOTE: invoking MPI_ABORT causes Open MPI to kill all MPI processes.
You may or may not see output from other processes, depending on
exactly when Open MPI kills them.
--------------------------------------------------------------------------
)";
constexpr const char* not_found_by_mpirun =
    R"(--------------------------------------------------------------------------
mpirun was unable to find the specified executable file, and therefore
did not launch the job.  This error was first reported for process
rank 0; it may have occurred for other processes as well.

NOTE: A common cause for this error is misspelling a mpirun command
      line parameter option (remember that mpirun interprets the first
      unrecognized command line token as the executable).

Node:       vm
Executable: nosuchprog
--------------------------------------------------------------------------
2 total processes failed to start
)";

constexpr const char* lost_daemon =
    R"(--------------------------------------------------------------------------
ORTE has lost communication with a remote daemon.

  HNP daemon   : [[33455,0],0] on node launcher
  Remote daemon: [[33455,0],2] on node node-2

This is usually due to either a failure of the TCP network
connection to the node, or possibly an internal failure of
the daemon itself. We cannot recover from this failure, and
therefore will terminate the job.
--------------------------------------------------------------------------
)";

TEST(MpirunReport, NamesTheRankThatWasKilled) {
  const auto report = processes::parse_mpirun_report(std::string("some line of ours\n") + rank_1_killed);
  EXPECT_EQ(report.rank, 1);
  EXPECT_EQ(report.signal, 9);
  EXPECT_FALSE(report.exit_code);
  EXPECT_FALSE(report.aborted);
}

TEST(MpirunReport, NamesTheRankThatExited) {
  const auto report = processes::parse_mpirun_report(rank_12_exited_3);
  EXPECT_EQ(report.rank, 12);
  EXPECT_EQ(report.exit_code, 3);
  EXPECT_FALSE(report.signal);
}

TEST(MpirunReport, NamesTheRankThatAborted) {
  const auto report = processes::parse_mpirun_report(std::string(rank_1_aborted) + rank_1_killed);
  EXPECT_TRUE(report.aborted);
  EXPECT_EQ(report.rank, 1);
  EXPECT_EQ(report.exit_code, 5);
  EXPECT_FALSE(report.signal);
}

TEST(MpirunReport, DoesNotTakeARankOfAnotherCommunicatorForTheRunsRank) {
  const auto report = processes::parse_mpirun_report(
      "MPI_ABORT was invoked on rank 1 in communicator MPI COMMUNICATOR 3 SPLIT FROM 0\nwith errorcode 5.\n");
  EXPECT_TRUE(report.aborted);
  EXPECT_FALSE(report.rank);
  EXPECT_EQ(report.exit_code, 5);
}

TEST(MpirunReport, GivesMpirunsOwnTrouble) {
  EXPECT_EQ(
      processes::parse_mpirun_report(not_found_by_mpirun).trouble,
      "mpirun was unable to find the specified executable file, and therefore did not launch the job.  This error "
      "was first reported for process rank 0; it may have occurred for other processes as well.");
  EXPECT_THAT(processes::parse_mpirun_report(primary_job).trouble, IsEmpty());
}

TEST(MpirunReport, NamesTheNodeWhoseDaemonWasLost) {
  EXPECT_EQ(processes::parse_mpirun_report(lost_daemon).trouble,
            "ORTE has lost communication with a remote daemon on node node-2");
}

TEST(MpirunReport, IsEmptyForOtherText) {
  for (const char* text : {"", "\n\n", "noticed that process rank x exited on signal y", "Process name: [[1,1],",
                           "Process name: [[1,1],2]", "MPI_ABORT was invoked on rank 1", "----",
                           "--------------------------------------------------------------------------\n"}) {
    const auto report = processes::parse_mpirun_report(text);
    EXPECT_FALSE(report.rank) << text;
    EXPECT_THAT(report.trouble, IsEmpty()) << text;
  }
}

class Diagnosed : public ::testing::Test {
 protected:
  Diagnosed() {
    folder_.create();
    for (int rank = 0; rank < 4; ++rank) add_rank(rank, 0, "ada");
  }
  void add_rank(int rank, int node, const std::string& host) {
    entrypoint::write_registration(folder_, {.rank = rank, .node = node, .process = {4242 + rank, 7}, .host = host});
  }
  void log(int rank, const std::string& text) { write_file_atomically(folder_.rank_log(rank), text); }
  std::string log_of(int rank) const { return folder_.rank_log(rank).string(); }

  lockstep::testing::TemporaryFolder temporary_;
  RunFolder folder_{temporary_ / "kind_owl"};
};

RankEnd rank_ended(int rank, std::optional<int> code, std::optional<int> signal = std::nullopt) {
  return {rank, code, signal, 1000};
}

TEST_F(Diagnosed, TheEarliestFailingRankIsTheCause) {
  const auto found = diagnose(
      folder_, {rank_ended(2, 0), rank_ended(3, 1), rank_ended(0, std::nullopt, 15), rank_ended(1, 1)}, exited(1), "");
  EXPECT_EQ(found.rank, 3);
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_EQ(found.reason, "rank 3 on ada ended with exit code 1; log: " + log_of(3));
  EXPECT_EQ(found.log.file, folder_.rank_log(3).string());
}

TEST_F(Diagnosed, MpirunsWordComesFirst) {
  const auto found =
      diagnose(folder_, {rank_ended(0, std::nullopt, 15), rank_ended(1, std::nullopt, 9)}, exited(137), rank_1_killed);
  EXPECT_EQ(found.rank, 1);
  EXPECT_EQ(found.signal, 9);
  EXPECT_EQ(found.reason, "rank 1 on ada was killed by signal 9 (out of memory?); log: " + log_of(1));
  EXPECT_THAT(found.log.hint, HasSubstr("memory"));
}

TEST_F(Diagnosed, TheEarliestEndIsTheCauseWhenNobodyKnowsHow) {
  const auto found =
      diagnose(folder_, {rank_ended(2, std::nullopt), rank_ended(0, std::nullopt)}, exited(139), primary_job);
  EXPECT_EQ(found.rank, 2);
  EXPECT_EQ(found.signal, 11) << "mpirun ends with 128 + the signal";
  EXPECT_EQ(found.reason, "rank 2 on ada was killed by signal 11 (SIGSEGV); log: " + log_of(2));
}

TEST_F(Diagnosed, NobodyIsNamedByGuess) {
  RankEnd gone_0 = rank_ended(0, std::nullopt);
  RankEnd gone_1 = rank_ended(1, std::nullopt);
  gone_0.unwatched = gone_1.unwatched = true;
  EXPECT_FALSE(diagnose(folder_, {gone_0, gone_1}, exited(3), primary_job).rank);
  EXPECT_EQ(diagnose(folder_, {gone_0, gone_1}, exited(3), primary_job).exit_code, 3);
  EXPECT_EQ(diagnose(folder_, {rank_ended(0, 0), gone_1}, exited(3), primary_job).rank, 1) << "nobody else is left";
  EXPECT_EQ(diagnose(folder_, {gone_0, rank_ended(2, std::nullopt), gone_1}, exited(3), primary_job).rank, 2);
}

TEST_F(Diagnosed, ARankThatIsDoneHasNotFailed) {
  const auto found = diagnose(folder_, {rank_ended(0, 0), rank_ended(1, 0), rank_ended(2, 4)}, exited(4), "");
  EXPECT_EQ(found.rank, 2);
}

TEST_F(Diagnosed, ARankThatStoppedOnRequestIsNotTheCauseOfAnothersFailure) {
  EXPECT_EQ(diagnose(folder_, {rank_ended(0, 75), rank_ended(1, 2)}, exited(75), "").rank, 1);
  EXPECT_EQ(diagnose(folder_, {rank_ended(0, 75), rank_ended(1, 75)}, exited(75), "").exit_code, 75);
}

TEST_F(Diagnosed, NodesAreNamedWhereThereAreSeveral) {
  add_rank(3, 1, "ada");
  EXPECT_THAT(diagnose(folder_, {rank_ended(3, 1)}, exited(1), "").reason, HasSubstr("rank 3 on ada/1 "));
  EXPECT_THAT(diagnose(folder_, {rank_ended(0, 1)}, exited(1), "").reason, HasSubstr("rank 0 on ada/0 "));
  EXPECT_EQ(diagnose(folder_, {rank_ended(3, 1)}, exited(1), "").node, 1);
}

TEST_F(Diagnosed, OfRanksThatLeaveAlikeTheOneThatSaysWhyIsNamed) {
  log(0, "rank 0 on ada: cannot write a checkpoint: No space left on device\n");
  log(2, "");
  EXPECT_EQ(diagnose(folder_, {rank_ended(2, 1), rank_ended(0, 1)}, exited(1), "").rank, 0);
  EXPECT_EQ(diagnose(folder_, {rank_ended(2, 1), rank_ended(0, 4)}, exited(1), "").rank, 2)
      << "that one left otherwise";
  EXPECT_EQ(diagnose(folder_, {rank_ended(2, std::nullopt, 9), rank_ended(0, 1)}, exited(137), "").rank, 2);
  const auto again = diagnose_rank(folder_, rank_ended(2, 1), {rank_ended(2, 1), rank_ended(0, 1)}, false);
  EXPECT_EQ(again.rank, 0);
  EXPECT_EQ(again.log.file, folder_.rank_log(0).string());
}

TEST_F(Diagnosed, AShellsCodeForASignalIsReadAsOne) {
  const auto found = diagnose(folder_, {rank_ended(0, 137)}, exited(137), "");
  EXPECT_EQ(found.exit_code, 137);
  EXPECT_THAT(found.reason, HasSubstr("ended with exit code 137: its program was killed by signal 9 (out of memory?)"));
  EXPECT_THAT(found.log.hint, HasSubstr("memory"));
}

TEST_F(Diagnosed, MpiAbortIsCalledSo) {
  EXPECT_THAT(diagnose(folder_, {rank_ended(1, 5)}, exited(5), rank_1_aborted).reason,
              HasSubstr("rank 1 on ada called MPI_Abort with code 5"));
}

TEST_F(Diagnosed, TheLauncherIsTheCauseWhenNoRankFailed) {
  auto found = diagnose(folder_, {}, exited(134), not_found_by_mpirun);
  EXPECT_FALSE(found.rank);
  EXPECT_THAT(found.reason, HasSubstr("mpirun was unable to find the specified executable file"));
  EXPECT_THAT(found.reason, HasSubstr(folder_.system_log().string()));
  found = diagnose(folder_, {}, killed(9), "");
  EXPECT_EQ(found.signal, 9);
  EXPECT_THAT(found.reason, HasSubstr("the ranks' launcher was killed by signal 9"));
  EXPECT_THAT(diagnose(folder_, {}, std::nullopt, "").reason, HasSubstr("launcher is gone"));
}

TEST_F(Diagnosed, TheLaunchersSignalIsNotTheRanks) {
  const auto found = diagnose(folder_, {rank_ended(1, std::nullopt)}, killed(9), "");
  EXPECT_EQ(found.rank, 1);
  EXPECT_FALSE(found.signal);
  EXPECT_THAT(found.reason, HasSubstr("ended first"));
}

TEST_F(Diagnosed, TheLastTwentyLinesAreShown) {
  std::string text;
  for (int i = 1; i <= 30; ++i) text += fmt::format("line {}\n", i);
  log(1, text + "the end without a newline");
  const auto found = diagnose(folder_, {rank_ended(1, 1)}, exited(1), "");
  ASSERT_EQ(found.log.last_lines.size(), 20U);
  EXPECT_EQ(found.log.last_lines.front(), "line 12");
  EXPECT_EQ(found.log.last_lines.back(), "the end without a newline");
  EXPECT_THAT(found.text(), HasSubstr("last lines of rank-1.log:\n  line 12\n"));
  EXPECT_THAT(diagnose(folder_, {rank_ended(2, 1)}, exited(1), "").log.last_lines, IsEmpty()) << "it wrote none";
}

TEST(Diagnosis, NamesTheNodeWhosePreparationFailedFirst) {
  const lockstep::testing::TemporaryFolder temporary;
  const RunFolder folder(temporary / "run");
  folder.create();
  EXPECT_FALSE(diagnose_preparation(folder).has_value());
  const auto ended = [&](int node, int exit_code, std::int64_t ended_ms) {
    write_file_atomically(
        folder.prepared_file(node),
        to_text(entrypoint::NodePreparation{node, "node-" + std::to_string(node + 1), exit_code, 1, ended_ms}));
  };
  ended(0, 0, 5);
  EXPECT_FALSE(diagnose_preparation(folder).has_value());
  ended(1, 143, 6);  // ended because of the other
  ended(2, 3, 7);
  write_file_atomically(folder.prepare_log(2), "fetching\nNo space left on device\n");
  const auto found = diagnose(folder, {{0, 126, std::nullopt}}, exited(126), "");
  EXPECT_EQ(found.rank, std::nullopt);
  EXPECT_EQ(found.exit_code, 3);
  EXPECT_THAT(found.reason, HasSubstr("the preparation of node-3 failed with exit code 3; log: "));
  EXPECT_THAT(found.log.file, HasSubstr("prepare-2.log"));
  EXPECT_THAT(found.log.last_lines, ::testing::ElementsAre("fetching", "No space left on device"));
  EXPECT_THAT(found.log.hint, HasSubstr("disk is full"));
}

}  // namespace
}  // namespace lockstep::supervise
