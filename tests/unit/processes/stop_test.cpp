#include "launcher/processes/stop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/process_file.hpp"
#include "tests/unit/processes/run_processes.hpp"

namespace lockstep::processes {
namespace {

using lockstep::testing::wait_until;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t limit_ms = 20'000;

// What a person's daemon does to get away: forks twice, leads a session of its own, has no ear for signals.
constexpr const char* daemonise = R"(trap "" TERM HUP INT QUIT USR1
  (setsid bash -c 'echo $$ > daemon.part; mv daemon.part daemon; exec sleep 1000' & ) )";

TEST(KillAll, EndsADaemonThatIgnoresSignals) {
  RunProcesses run("daemon");
  const ProcessId first = run.bash(daemonise);
  const ProcessId daemon = run.process_in("daemon");
  ASSERT_TRUE(is_alive(daemon));
  run.status_of(first);  // its parent is gone: no descent tells whose it is
  ASSERT_TRUE(send_signal(daemon, SIGTERM));
  EXPECT_TRUE(kill_all(run.id(), 0, 0, limit_ms));
  EXPECT_FALSE(is_alive(daemon));
  EXPECT_THAT(processes_of(run.id(), 0, 0), IsEmpty());
}

TEST(KillAll, EndsWhoForksFasterThanItIsLookedAt) {
  RunProcesses run("hopper");
  // Each generation starts the next in a session of its own and leaves. The file `stop` is for when this test fails.
  write_file_atomically(run / "hop", R"(echo "$1" > generation.$$; mv generation.$$ generation; [ -e stop ] ||
    setsid bash hop $(($1 + 1)) & )");
  run.status_of(run.bash("bash hop 0"));
  ASSERT_TRUE(wait_until([&] { return std::stoi("0" + run.line_of("generation")) >= 3; }));
  EXPECT_TRUE(kill_all(run.id(), 0, 0, limit_ms));
  EXPECT_THAT(processes_of(run.id(), 0, 0), IsEmpty());
  write_file_atomically(run / "stop", "");
}

TEST(KillAll, EndsManyThatForkAtOnce) {
  RunProcesses run("bomb");
  run.status_of(run.bash(R"(for i in 1 2 3 4 5 6 7 8; do
    (setsid bash -c 'trap "" TERM; for j in 1 2 3 4 5; do sleep 1000 & done; echo > up.'$i'; wait' &) ; done)"));
  for (const char* each : {"up.1", "up.2", "up.3", "up.4", "up.5", "up.6", "up.7", "up.8"}) run.line_of(each);
  EXPECT_GE(processes_of(run.id(), 0, 0).size(), 48U);
  EXPECT_TRUE(kill_all(run.id(), 0, 0, limit_ms));
  EXPECT_THAT(processes_of(run.id(), 0, 0), IsEmpty());
}

TEST(KillAll, EndsWhoIsStopped) {
  RunProcesses run("stopped");
  const ProcessId stopped = run.start({"sleep", "1000"}, run.environment());
  ASSERT_TRUE(send_signal(stopped, SIGSTOP));
  EXPECT_TRUE(kill_all(run.id(), 0, 0, limit_ms));
  EXPECT_FALSE(is_alive(stopped));
}

TEST(KillAll, SparesOtherRunsWithSimilarIds) {
  RunProcesses run("owl");
  const auto with = [&](const std::string& name, const std::string& value) {
    Environment environment = run.environment();
    environment.erase("LOCKSTEP_RUN_ID");
    environment[name] = value;
    return environment;
  };
  std::vector<ProcessId> others;
  for (const auto& environment :
       {with("LOCKSTEP_RUN_ID", run.id() + "2"), with("LOCKSTEP_RUN_ID", run.id().substr(1)),
        with("LOCKSTEP_RUN_ID", run.id().substr(0, run.id().size() - 1)), with("LOCKSTEP_RUN_ID", " " + run.id()),
        with("MY_LOCKSTEP_RUN_ID", run.id()), with("NOTE", "\nLOCKSTEP_RUN_ID=" + run.id())}) {
    others.push_back(run.start({"sleep", "1000"}, environment));
  }
  others.push_back(run.start({"sh", "-c", "sleep 1000; : LOCKSTEP_RUN_ID=" + run.id()}, with("A", "b")));
  const ProcessId own = run.start({"sleep", "1000"}, run.environment());
  EXPECT_TRUE(kill_all(run.id(), 0, 0, limit_ms));
  EXPECT_FALSE(is_alive(own));
  for (const ProcessId& each : others) EXPECT_TRUE(is_alive(each));
}

TEST(KillAll, RefusesToWorkWithoutAnId) { EXPECT_THROW(kill_all(std::string(), 0, 0, limit_ms), Error); }

TEST(ProcessesOf, HasTheMembersOfTheSession) {
  RunProcesses run("session");
  const ProcessId leader = run.start({"env", "-i", "sleep", "1000"}, run.environment());
  ASSERT_TRUE(wait_until([&] { return processes_of(run.id(), 0, 0).empty(); })) << "no environment gives it away";
  EXPECT_THAT(processes_of(run.id(), leader.pid, 0), Contains(leader));
}

TEST(ProcessesOf, HasTheDescendantsOfItsRoot) {
  RunProcesses run("descent");
  const ProcessId root = run.bash("setsid -w env -i sh -c 'echo $$ > child; sleep 1000; :' & wait");
  const ProcessId child = run.process_in("child");
  const auto found = processes_of("another-id-" + run.id(), 0, root.pid);
  EXPECT_THAT(found, Contains(root));
  EXPECT_THAT(found, Contains(child)) << "has neither session nor environment of the run";
  kill_all("another-id-" + run.id(), 0, root.pid, limit_ms);
  EXPECT_FALSE(is_alive(child));
}

TEST(ProcessesOf, HasOrphansWhenTheRootIsASubreaper) {
  RunProcesses run("subreaper");
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  run.status_of(run.bash("(setsid env -i sh -c 'echo $$ > orphan; sleep 1000; :' &)"));
  const ProcessId orphan = run.process_in("orphan");
  EXPECT_THAT(processes_of(run.id(), 0, ::getpid()), Contains(orphan));
  EXPECT_THAT(processes_of(run.id(), 0, ::getpid()), Not(Contains(this_process())));
  EXPECT_TRUE(kill_all(run.id(), 0, ::getpid(), limit_ms));
  EXPECT_FALSE(is_alive(orphan));
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

TEST(ProcessesOf, NeverHasUsNorOurAncestors) {
  const auto found = processes_of("no-such-run", ::getsid(0), ::getppid());
  EXPECT_THAT(found, Not(Contains(this_process())));
  for (const auto& each : found) EXPECT_NE(each.pid, ::getppid());
}

TEST(ProcessesOf, HasNoZombies) {
  RunProcesses run("zombie");
  const ProcessId child = run.start({"true"}, run.environment());
  EXPECT_TRUE(ends(child));
  EXPECT_THAT(processes_of(run.id(), child.pid, child.pid), IsEmpty());
}

// A rank: a shell that leads a group, and a child in it. Each says which signals came.
constexpr const char* rank_script = R"(
  listen() { trap "echo TERM >> $1.heard; exit" TERM; trap "echo USR1 >> $1.heard" USR1; echo $BASHPID > $1.part
             mv $1.part $1; while :; do sleep 0.02; done; }
  (listen child) & listen leader)";

class AskRanks : public ::testing::Test {
 protected:
  AskRanks() {
    leader_ = run_.bash(rank_script);
    child_ = run_.process_in("child");
    run_.process_in("leader");
  }
  void register_rank(const ProcessId& process) {
    entrypoint::write_registration(run_.folder(), {.rank = 0, .process = process, .process_group = process.pid});
  }
  // A shell runs the traps of all signals that came before it hears the next: once it has heard a second USR1, a TERM
  // from before the first would have ended it.
  bool hears_only_usr1(const std::string& name, const ProcessId& process) {
    const auto heard = [&] { return read_file_if_exists(run_ / (name + ".heard")).value_or(""); };
    send_signal(process, SIGUSR1);
    if (!wait_until([&] { return heard() == "USR1\n"; })) return false;
    send_signal(process, SIGUSR1);
    return wait_until([&] { return heard() == "USR1\nUSR1\n"; });
  }
  RunProcesses run_{"asked"};
  ProcessId leader_;
  ProcessId child_;
};

TEST_F(AskRanks, StopsTheWholeGroupOfARank) {
  register_rank(leader_);
  ask_ranks_to_stop(run_.folder());
  EXPECT_EQ(run_.line_of("leader.heard"), "TERM");
  EXPECT_EQ(run_.line_of("child.heard"), "TERM");
  EXPECT_TRUE(ends(leader_));
  EXPECT_TRUE(ends(child_));
}

TEST_F(AskRanks, StopsOnlyTheProgramThatSaves) {
  register_rank(leader_);
  write_process_file(run_.folder().stoppable_file(0), child_);
  ask_ranks_to_stop(run_.folder());
  EXPECT_EQ(run_.line_of("child.heard"), "TERM");
  EXPECT_TRUE(ends(child_));
  EXPECT_TRUE(hears_only_usr1("leader", leader_));
}

TEST_F(AskRanks, StopsTheGroupWhenTheProgramThatSavesIsGone) {
  register_rank(leader_);
  ProcessId before = child_;
  before.start_time -= 1;  // its pid is another's by now
  write_process_file(run_.folder().stoppable_file(0), before);
  ask_ranks_to_stop(run_.folder());
  EXPECT_TRUE(ends(leader_));
  EXPECT_TRUE(ends(child_));
}

TEST_F(AskRanks, SignalsNobodyWhoHasTheirPidByReuse) {
  ProcessId before = leader_;
  before.start_time -= 1;
  register_rank(before);
  ask_ranks_to_stop(run_.folder());
  EXPECT_TRUE(hears_only_usr1("leader", leader_));
  EXPECT_TRUE(hears_only_usr1("child", child_));
}

TEST_F(AskRanks, SavesInTheProgramThatSavesOnly) {
  register_rank(leader_);
  write_process_file(run_.folder().stoppable_file(0), child_);
  ask_ranks_to_save(run_.folder());
  EXPECT_EQ(run_.line_of("child.heard"), "USR1");
  EXPECT_FALSE(fs::exists(run_ / "leader.heard"));
  EXPECT_TRUE(is_alive(child_));
}

TEST(AskNobody, IsNoErrorWithoutRegistrations) {
  RunProcesses run("empty");
  ask_ranks_to_stop(run.folder());
  ask_ranks_to_save(run.folder());
}

}  // namespace
}  // namespace lockstep::processes
