#include "launcher/supervise/keeper.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "launcher/supervise/signals.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::supervise {
namespace {

using history::RunState;
using lockstep::testing::TemporaryFolder;
using lockstep::testing::wait_until;
using ::testing::HasSubstr;

// A keeper in a process of its own, spoken to as the supervisor does.
class KeeperTest : public ::testing::Test {
 protected:
  KeeperTest() : folder(temporary.path()), ours(Fd()) {
    folder.create();
    auto [one, other] = Channel::make_pair();
    pid = ::fork();
    if (pid == 0) {
      one = Channel(Fd());
      take_over_signals();
      const Fd log = open_file(folder.system_log(), O_WRONLY | O_CREAT | O_APPEND);
      ::dup2(log.get(), 2);
      keep(folder, 1, {.stop_grace_s = 1, .kill_after_s = 1}, std::move(other));
      ::_exit(0);
    }
    ours = std::move(one);
  }
  ~KeeperTest() override {
    if (pid > 0) ::kill(pid, SIGKILL);
    wait_for_keeper();
  }

  void start(const std::string& script) {
    Environment environment = current_environment();
    environment["LOCKSTEP_RUN_ID"] = folder.run_id();
    environment["LOCKSTEP_RUN_DIR"] = folder.root().string();
    ours.send(start_message({{"bash", "-c", script}, folder.root(), environment}));
  }

  Message hear() {
    Message message;
    wait_until([&] {
      wait_readable({ours.fd()}, 50);
      ours.receive();
      return ours.next(message) || ours.closed();
    });
    return message;
  }

  Ending ending() {
    const auto written = read_ending(folder);
    EXPECT_TRUE(written.has_value()) << "the keeper has written no state.json";
    return written.value_or(Ending());
  }

  bool wait_for_file(const std::string& name) {
    return wait_until([&] { return fs::exists(folder.root() / name); });
  }
  void wait_for_keeper() {
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    pid = 0;
  }

  TemporaryFolder temporary;  // its name is the run id: a sweep finds processes by it, so it must be nobody else's
  RunFolder folder;
  Channel ours;
  pid_t pid = 0;
};

TEST_F(KeeperTest, TellsTheStartAndTheTrueExit) {
  start("echo to the log; exit 7");
  EXPECT_EQ(hear().word, "started");
  const Message last = hear();
  ASSERT_EQ(last.word, "ended");
  wait_for_keeper();
  const Ending written = ending();
  EXPECT_EQ(written.state, RunState::failed);
  EXPECT_EQ(written.outcome.exit_code, 7);
  EXPECT_EQ(ending_from_text(last.fields.at(0)), written);
  EXPECT_THAT(read_file(folder.system_log()), HasSubstr("to the log"));
}

TEST_F(KeeperTest, SaysThatAProgramCannotBeStarted) {
  ours.send(start_message({{"/no/such/program"}, folder.root(), {}}));
  ASSERT_EQ(hear().word, "ended");
  const Ending written = ending();
  EXPECT_EQ(written.outcome.exit_code, 127);
  EXPECT_THAT(written.outcome.reason, HasSubstr("/no/such/program"));
}

TEST_F(KeeperTest, StopsTheProgramWhenTold) {
  start("trap 'touch saved; exit 5' TERM; touch ready; while true; do read -t 0.05 <> <(:); done");
  ASSERT_TRUE(wait_for_file("ready"));
  ours.send(stop_message({RunState::canceled, "asked"}));
  EXPECT_EQ(hear().word, "started");
  EXPECT_EQ(hear().word, "ended");
  const Ending written = ending();
  EXPECT_EQ(written.state, RunState::canceled);
  EXPECT_EQ(written.outcome.reason, "asked");
  EXPECT_EQ(written.outcome.exit_code, 5);
  EXPECT_TRUE(fs::exists(folder.root() / "saved"));
}

TEST_F(KeeperTest, KillsWhatDoesNotHearTerm) {
  start("trap '' TERM; touch ready; while true; do read -t 0.05 <> <(:); done");
  ASSERT_TRUE(wait_for_file("ready"));
  ours.send(stop_message({RunState::canceled, "asked"}));
  EXPECT_EQ(hear().word, "started");
  EXPECT_EQ(hear().word, "ended");
  EXPECT_EQ(ending().outcome.signal, SIGKILL);
}

TEST_F(KeeperTest, StopsTheRunWhenTheSupervisorIsGone) {
  start("touch ready; while true; do read -t 0.05 <> <(:); done");
  ASSERT_TRUE(wait_for_file("ready"));
  ours = Channel(Fd());
  wait_for_keeper();
  const Ending written = ending();
  EXPECT_EQ(written.state, RunState::failed);
  EXPECT_THAT(written.outcome.reason, HasSubstr("the supervisor was killed"));
}

TEST_F(KeeperTest, EndsTheRunThatNeverStartedWhenTheSupervisorIsGone) {
  ours = Channel(Fd());
  wait_for_keeper();
  const Ending written = ending();
  EXPECT_EQ(written.state, RunState::failed);
  EXPECT_THAT(written.outcome.reason, HasSubstr("before the program started"));
}

TEST_F(KeeperTest, WritesNothingWhenItIsDismissed) {
  ours.send({"dismiss", {}});
  wait_for_keeper();
  EXPECT_EQ(read_ending(folder), std::nullopt);
}

TEST_F(KeeperTest, LeavesNoChildOfTheProgram) {
  start(
      "(trap '' TERM; echo $BASHPID > child; touch ready; while true; do read -t 0.05 <> <(:); done) & "
      "until [ -e ready ]; do read -t 0.02 <> <(:); done; true");
  EXPECT_EQ(hear().word, "started");
  EXPECT_EQ(hear().word, "ended");
  EXPECT_EQ(ending().state, RunState::completed);
  const pid_t child = std::stoi(read_file(folder.root() / "child"));
  EXPECT_EQ(start_time_of(child), std::nullopt);
}

}  // namespace
}  // namespace lockstep::supervise
