// kill -9 at every named point and at random moments: every run ends in a terminal state with a reason, nothing that
// was acknowledged is lost, no process stays. LOCKSTEP_KILL_ROUNDS (5) and LOCKSTEP_SEED choose the random moments.
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <map>
#include <random>

#include "common/clock.hpp"
#include "common/digest.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/supervise/fault_points.hpp"
#include "launcher/supervise/ledger.hpp"
#include "tests/e2e/run_rig.hpp"
#include "tests/support/repeatable.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::supervise {
void PrintTo(const FaultPoint& point, std::ostream* out) { *out << point.name; }
}  // namespace lockstep::supervise

namespace lockstep::testing {
namespace {

using history::RunState;
using supervise::FaultPoint;
using supervise::FaultScene;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int ranks = 2;

// What must hold once the run has ended, however it ended.
void expect_clean_end(RunRig& rig, const std::string& run_id) {
  ASSERT_TRUE(rig.wait_until_ended(run_id)) << "it stayed " << history::name_of(rig.run(run_id).state);
  const history::Run run = rig.run(run_id);
  EXPECT_TRUE(history::is_terminal(run.state));
  EXPECT_THAT(run.outcome.reason, Not(IsEmpty()));
  // The supervisor, or the keeper, may need a moment for its last step after the store was told.
  EXPECT_TRUE(rig.wait_until_unowned(run_id));
  EXPECT_THAT(rig.processes(run_id), IsEmpty());
  EXPECT_THAT(rig.missing(run_id, ranks), IsEmpty());
  EXPECT_THAT(supervise::Ledger(rig.ledger_folder(), 4).entries(), IsEmpty());
}

bool wait_until_gone(const ProcessId& process) {
  return wait_until([&] {
    ::waitpid(process.pid, nullptr, WNOHANG);  // an orphan of a dead command is ours to reap
    return !is_alive(process);
  });
}

std::string name_of_test(const ::testing::TestParamInfo<FaultPoint>& info) {
  std::string name = info.param.name;
  for (char& each : name) each = each == '.' ? '_' : each;
  return name;
}

class KillAtPoint : public ::testing::TestWithParam<FaultPoint> {
 protected:
  RunRig rig;
  const std::string fault = GetParam().name;
  const std::string run_id = "victim-" + random_hex(8);  // processes are found by it: it must be nobody else's

  RunRig::Command submit(const std::string& options, const std::string& with_fault) {
    return rig.submit(rig.scribe_plan(run_id, {ranks, options}, rig.workspace()), with_fault);
  }
  // Whether somebody did die by the fault: supervisor or command by their status, the keeper by the supervisor's word.
  bool somebody_was_killed(int command_status) {
    if (WIFSIGNALED(command_status)) return WTERMSIG(command_status) == SIGKILL;
    if (WEXITSTATUS(command_status) == 128 + SIGKILL) return true;
    const std::string log = read_file_if_exists(rig.workspace().run(run_id).system_log()).value_or("");
    return log.find("keeper was killed by signal 9") != std::string::npos;
  }
};

struct InPlainRun : KillAtPoint {};
TEST_P(InPlainRun, EndsTheRunAndLosesNothing) {
  const auto command = submit("--lines 25", fault);
  const auto status = rig.wait_for(command);
  ASSERT_NE(status, RunRig::still_running);
  EXPECT_TRUE(somebody_was_killed(status)) << "nobody passed " << fault;
  if (!rig.has_run(run_id)) {  // killed before there was a run: nothing to end, and the next one is not disturbed
    EXPECT_EQ(rig.close_abandoned(), 0);
    const auto next = rig.submit(rig.scribe_plan("next", {ranks, "--lines 3"}, rig.workspace()));
    EXPECT_EQ(rig.wait_for(next), 0);
    EXPECT_EQ(rig.run("next").state, RunState::completed);
    return;
  }
  expect_clean_end(rig, run_id);
}

struct WhileQueued : KillAtPoint {};
TEST_P(WhileQueued, EndsTheRunAndLosesNothing) {
  supervise::Ledger ledger(rig.ledger_folder(), 4);
  const auto busy = ledger.enter("busy", "/elsewhere", 4);
  ASSERT_TRUE(ledger.try_start(busy));
  const auto command = submit("--lines 25", fault);
  const auto status = rig.wait_for(command);
  ASSERT_NE(status, RunRig::still_running);
  EXPECT_TRUE(somebody_was_killed(status)) << "nobody passed " << fault;
  ledger.leave(busy);
  expect_clean_end(rig, run_id);
}

struct WhileStopped : KillAtPoint {};
TEST_P(WhileStopped, EndsTheRunAndLosesNothing) {
  const auto command = submit("--lines 1000000 --ignore-term", fault);
  ASSERT_TRUE(rig.wait_for_lines(run_id, 20));
  rig.request_cancel(run_id, "asked by the test");
  const auto status = rig.wait_for(command);
  ASSERT_NE(status, RunRig::still_running);
  EXPECT_TRUE(somebody_was_killed(status)) << "nobody passed " << fault;
  expect_clean_end(rig, run_id);
}

struct WithoutSupervisor : KillAtPoint {};
TEST_P(WithoutSupervisor, EndsTheRunAndLosesNothing) {
  const auto command = submit("--lines 1000000", fault);
  ASSERT_TRUE(rig.wait_for_lines(run_id, 20));
  const ProcessId keeper = rig.keeper_of(command);
  ASSERT_GT(keeper.pid, 0);
  send_signal(command.supervisor, SIGKILL);
  EXPECT_TRUE(wait_until_gone(keeper));
  ASSERT_NE(rig.wait_for(command), RunRig::still_running);
  expect_clean_end(rig, run_id);
  EXPECT_EQ(rig.run(run_id).state, RunState::failed);
}

struct WithoutKeeper : KillAtPoint {};
TEST_P(WithoutKeeper, EndsTheRunAndLosesNothing) {
  const auto command = submit("--lines 1000000", fault);
  ASSERT_TRUE(rig.wait_for_lines(run_id, 20));
  const ProcessId keeper = rig.keeper_of(command);
  ASSERT_GT(keeper.pid, 0);
  send_signal(keeper, SIGKILL);
  const auto status = rig.wait_for(command);
  ASSERT_NE(status, RunRig::still_running);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL) << "nobody passed " << fault;
  expect_clean_end(rig, run_id);
  EXPECT_EQ(rig.run(run_id).state, RunState::failed);
}

struct WhileClosing : KillAtPoint {};
TEST_P(WhileClosing, EndsTheRunAndLosesNothing) {
  const auto command = submit("--lines 1000000", "");
  ASSERT_TRUE(rig.wait_for_lines(run_id, 20));
  const ProcessId keeper = rig.keeper_of(command);
  ASSERT_GT(keeper.pid, 0);
  send_signal(keeper, SIGSTOP);  // so that neither gets to do anything about the other's death
  send_signal(command.supervisor, SIGKILL);
  send_signal(keeper, SIGKILL);
  EXPECT_TRUE(wait_until_gone(keeper));
  ASSERT_NE(rig.wait_for(command), RunRig::still_running);
  ASSERT_TRUE(rig.wait_until_unowned(run_id));
  const int status = rig.close_abandoned(fault);
  EXPECT_TRUE(WIFSIGNALED(status)) << "nobody passed " << fault;
  expect_clean_end(rig, run_id);
  EXPECT_EQ(rig.run(run_id).state, RunState::failed);
}

std::vector<FaultPoint> points_of(FaultScene scene) {
  std::vector<FaultPoint> all;
  for (const auto& each : supervise::fault_points) {
    if (each.scene == scene) all.push_back(each);
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Kill, InPlainRun, ::testing::ValuesIn(points_of(FaultScene::plain)), name_of_test);
INSTANTIATE_TEST_SUITE_P(Kill, WhileQueued, ::testing::ValuesIn(points_of(FaultScene::queued)), name_of_test);
INSTANTIATE_TEST_SUITE_P(Kill, WhileStopped, ::testing::ValuesIn(points_of(FaultScene::stopped)), name_of_test);
INSTANTIATE_TEST_SUITE_P(Kill, WithoutSupervisor, ::testing::ValuesIn(points_of(FaultScene::orphaned)), name_of_test);
INSTANTIATE_TEST_SUITE_P(Kill, WithoutKeeper, ::testing::ValuesIn(points_of(FaultScene::bereaved)), name_of_test);
INSTANTIATE_TEST_SUITE_P(Kill, WhileClosing, ::testing::ValuesIn(points_of(FaultScene::abandoned)), name_of_test);

// Who may be killed in a random round, as far as it exists at that moment.
std::vector<ProcessId> targets(RunRig& rig, const RunRig::Command& command, const std::string& run_id) {
  const ProcessId keeper = rig.keeper_of(command);
  std::vector<ProcessId> all{command.supervisor, keeper, rig.program_of(keeper)};
  for (int rank = 0; rank < ranks; ++rank) {
    const auto registration = entrypoint::read_registration(rig.workspace().run(run_id), rank);
    all.push_back(registration ? registration->process : ProcessId{});
  }
  return all;
}

TEST(KillAtRandom, EndsEveryRunAndLosesNothing) {
  const int rounds = kill_rounds();
  const unsigned seed = kill_seed();
  std::mt19937 random(seed);
  RunRig rig;
  int kills = 0;
  std::size_t acknowledged = 0;
  std::map<RunState, int> ends;
  for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
    const std::string run_id = fmt::format("round-{}-{}", round, random_hex(8));
    const auto moment_ms = std::uniform_int_distribution<std::int64_t>(0, 900)(random);
    const auto first = std::uniform_int_distribution<std::size_t>(0, 4)(random);
    const auto second = std::uniform_int_distribution<std::size_t>(0, 9)(random);  // 5 and more: nobody else
    SCOPED_TRACE(
        fmt::format("round {}, seed {}: after {} ms, targets {} and {}", round, seed, moment_ms, first, second));
    const auto command = rig.submit(rig.scribe_plan(run_id, {ranks, "--lines 60"}, rig.workspace()));
    ASSERT_GT(command.supervisor.pid, 0);
    const std::int64_t moment = monotonic_ms() + moment_ms;
    wait_until([&] { return monotonic_ms() >= moment; });
    const auto all = targets(rig, command, run_id);
    for (const std::size_t each : {first, second}) {
      if (each < all.size() && all[each].pid > 0 && send_signal(all[each], SIGKILL)) ++kills;
    }
    ASSERT_NE(rig.wait_for(command), RunRig::still_running);
    expect_clean_end(rig, run_id);
    acknowledged += read_file_if_exists(rig.ack_file(run_id)).value_or("").size();
    ++ends[rig.run(run_id).state];
  }
  EXPECT_GT(kills, 0);
  EXPECT_GT(acknowledged, 0U) << "nothing was there to be lost";
  for (const auto& [state, count] : ends) fmt::print("{}: {}\n", history::name_of(state), count);
  fmt::print("processes killed: {}, seed {}\n", kills, seed);
}

}  // namespace
}  // namespace lockstep::testing
