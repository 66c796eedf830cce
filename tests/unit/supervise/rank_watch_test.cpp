#include "launcher/processes/rank_watch.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "launcher/supervise/diagnosis.hpp"
#include "tests/unit/processes/run_processes.hpp"

namespace lockstep::supervise {
namespace {

using processes::rank_end;
using processes::RankWatch;
using processes::RunProcesses;

// As a keeper's loop does it. Fails the test instead of waiting for ever.
bool watch_until(RankWatch& watch, const std::function<bool()>& done) {
  const std::int64_t deadline = monotonic_ms() + 30'000;
  while (true) {
    watch.update();
    if (done()) return true;
    if (monotonic_ms() >= deadline) return false;
    std::vector<pollfd> polls;
    watch.add_to(polls);
    ::poll(polls.data(), polls.size(), 10'000);
  }
}

void register_rank(const RunProcesses& run, int rank, const ProcessId& process) {
  entrypoint::write_registration(run.folder(), {.rank = rank, .process = process});
}

TEST(RankWatch, WakesForRanksThatRegisterAndEnd) {
  RunProcesses run("watched");
  RankWatch watch(run.folder());
  watch.update();
  const ProcessId rank = run.start({"sleep", "1000"}, run.environment());
  register_rank(run, 0, rank);
  ASSERT_TRUE(watch_until(watch, [&] { return watch.running() == 1; }));
  EXPECT_TRUE(watch.ends().empty());
  send_signal(rank, SIGKILL);
  ASSERT_TRUE(watch_until(watch, [&] { return watch.ends().size() == 1; }));
  EXPECT_EQ(watch.running(), 0U);
  EXPECT_EQ(watch.ends()[0].rank, 0);
  EXPECT_EQ(watch.ends()[0].signal, SIGKILL);
  EXPECT_FALSE(watch.ends()[0].exit_code);
}

TEST(RankWatch, TellsTheOrderOfEndsAndTheirCodes) {
  RunProcesses run("order");
  RankWatch watch(run.folder());
  std::vector<ProcessId> ranks;
  for (int rank = 0; rank < 3; ++rank) {
    const std::string fifo = fmt::format("fifo.{}", rank);
    ASSERT_EQ(::mkfifo((run / fifo).c_str(), 0600), 0);
    ranks.push_back(run.bash(fmt::format("read code < {}; exit $code", fifo)));
    register_rank(run, rank, ranks.back());
  }
  std::size_t ended = 0;
  for (const int rank : {2, 0, 1}) {
    write_all(open_file(run / fmt::format("fifo.{}", rank), O_WRONLY).get(), fmt::format("{}\n", rank * 10));
    ++ended;
    ASSERT_TRUE(watch_until(watch, [&] { return watch.ends().size() == ended; }));
    EXPECT_EQ(watch.ends().back().rank, rank);
    EXPECT_EQ(watch.ends().back().exit_code, rank * 10) << "a zombie tells its code";
  }
}

TEST(RankWatch, TakesARankThatIsStartedAgainForANewOne) {
  RunProcesses run("again");
  RankWatch watch(run.folder());
  for (std::size_t start = 1; start <= 2; ++start) {
    const ProcessId rank = run.start({"sleep", "1000"}, run.environment());
    register_rank(run, 0, rank);
    send_signal(rank, start == 1 ? SIGTERM : SIGINT);
    ASSERT_TRUE(watch_until(watch, [&] { return watch.ends().size() == start; }));
    EXPECT_EQ(watch.ends().back().signal, start == 1 ? SIGTERM : SIGINT);
  }
}

TEST(RankWatch, NotesARankThatWasGoneBeforeItLooked) {
  RunProcesses run("gone");
  const ProcessId rank = run.start({"sleep", "1000"}, run.environment());
  send_signal(rank, SIGKILL);
  run.status_of(rank);
  register_rank(run, 0, rank);
  ProcessId reused = this_process();
  reused.start_time -= 1;
  register_rank(run, 1, reused);
  RankWatch watch(run.folder());
  watch.update();
  ASSERT_EQ(watch.ends().size(), 2U);
  EXPECT_FALSE(watch.ends()[0].exit_code || watch.ends()[0].signal);
  EXPECT_EQ(watch.running(), 0U) << "nobody else is watched for a pid that was reused";
}

TEST(RankEnd, IsReadFromWaitpidsStatus) {
  RunProcesses run("status");
  EXPECT_EQ(rank_end(3, run.status_of(run.bash("exit 9")), 5).exit_code, 9);
  EXPECT_EQ(rank_end(3, run.status_of(run.bash("kill -SEGV $$")), 5).signal, SIGSEGV);
  EXPECT_EQ(rank_end(3, 0, 5).rank, 3);
  EXPECT_EQ(rank_end(3, 0, 5).ended_ms, 5);
}

// mpirun, the watch and the diagnosis together, on what really happens.
class WatchedMpirun : public ::testing::Test {
 protected:
  // Ranks run `script` with $RANK; mpirun's words go to system.log, as a keeper has it.
  Diagnosis run_and_diagnose(const std::string& script) {
    {
      const Fd log = open_file(run_.folder().system_log(), O_WRONLY | O_CREAT | O_APPEND);
      Environment environment = run_.environment();
      mpirun_ = start_program({.argv = {"mpirun", "--oversubscribe", "--bind-to", "none", "-np", "3", "bash", "-c",
                                        register_first + script},
                               .environment = environment,
                               .working_folder = run_ / "",
                               .stdin_fd = -1,
                               .stdout_fd = log.get(),
                               .stderr_fd = log.get(),
                               .new_session = true});
    }
    RankWatch watch(run_.folder());
    EXPECT_TRUE(watch_until(watch, [&] { return watch.ends().size() == 3; }));
    int status = 0;
    ::waitpid(mpirun_.pid, &status, 0);
    return diagnose(run_.folder(), watch.ends(), status, read_file(run_.folder().system_log()));
  }
  // What the entrypoint does, as far as it matters here.
  const std::string register_first =
      R"(r=$OMPI_COMM_WORLD_RANK; f=$LOCKSTEP_RUN_DIR/ranks/$r.json; exec >$LOCKSTEP_RUN_DIR/logs/rank-$r.log 2>&1
         echo "{\"rank\":$r,\"pid\":$$,\"start_time\":$(cut -d' ' -f22 /proc/$$/stat)}" > $f.part
         mv $f.part $f; until [ -e $LOCKSTEP_RUN_DIR/ranks/0.json -a -e $LOCKSTEP_RUN_DIR/ranks/1.json \
         -a -e $LOCKSTEP_RUN_DIR/ranks/2.json ]; do sleep 0.01; done; )";
  RunProcesses run_{"mpirun"};
  ProcessId mpirun_;
};

TEST_F(WatchedMpirun, NamesTheRankThatExits) {
  const auto found = run_and_diagnose("if [ $r = 1 ]; then echo boo; exit 3; fi; exec sleep 1000");
  EXPECT_EQ(found.rank, 1);
  EXPECT_EQ(found.exit_code, 3);
  EXPECT_THAT(found.log.last_lines, ::testing::ElementsAre("boo"));
}

TEST_F(WatchedMpirun, NamesTheRankThatIsKilled) {
  const auto found = run_and_diagnose("if [ $r = 2 ]; then kill -9 $$; fi; exec sleep 1000");
  EXPECT_EQ(found.rank, 2);
  EXPECT_EQ(found.signal, 9);
  EXPECT_THAT(found.reason, ::testing::HasSubstr("rank 2 was killed by signal 9 (out of memory?)"));
}

TEST_F(WatchedMpirun, NamesTheRankThatFailsAfterOthersAreDone) {
  const auto found = run_and_diagnose("if [ $r = 0 ]; then sleep 0.3; exit 5; fi");
  EXPECT_EQ(found.rank, 0);
  EXPECT_EQ(found.exit_code, 5);
}

}  // namespace
}  // namespace lockstep::supervise
