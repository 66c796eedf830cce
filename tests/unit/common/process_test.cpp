#include "common/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep {
namespace {

using testing::TemporaryFolder;
using testing::wait_until;

ProgramSpec shell(const std::string& script) { return {{"sh", "-c", script}, current_environment(), {}}; }

TEST(RunProgram, GivesExitCodeAndBothOutputsInOrder) {
  const ProgramResult result = run_program(shell("echo one; echo two >&2; echo three; exit 7"));
  EXPECT_EQ(result.exit_code(), 7);
  EXPECT_EQ(result.output, "one\ntwo\nthree\n");
}

TEST(RunProgram, TellsASignalAs128PlusItsNumber) { EXPECT_EQ(run_program(shell("kill -9 $$")).exit_code(), 137); }

TEST(RunProgram, KillsWhatTakesTooLong) {
  EXPECT_THROW(run_program(shell("exec tail -f /dev/null"), std::chrono::milliseconds(50)), Error);
}

TEST(RunProgram, GivesTheChildOnlyTheNamedEnvironmentAndFolder) {
  const TemporaryFolder folder;
  const ProgramResult result = run_program({{"/usr/bin/env"}, {{"ONLY", "this one"}}, folder.path()});
  EXPECT_EQ(result.output, "ONLY=this one\n");
  ProgramSpec where = shell("pwd -P");
  where.working_folder = folder.path();
  EXPECT_EQ(run_program(where).output, fs::canonical(folder.path()).string() + "\n");
}

TEST(StartProgram, TellsWhyAProgramCannotStart) {
  const TemporaryFolder folder;
  try {
    start_program({{"no-such-program-here"}, current_environment(), {}});
    FAIL() << "started nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::not_found);
    EXPECT_STREQ(error.what(), "no-such-program-here: command not found");
  }
  write_file_atomically(folder / "broken", "#!/no/such/interpreter\n", 0755);
  try {
    start_program({{(folder / "broken").string()}, {}, {}});
    FAIL() << "started nothing";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("No such file or directory"), std::string::npos) << error.what();
  }
}

TEST(StartProgram, GivesTheChildDefaultSignalsWhateverOursAre) {
  const auto old = ::signal(SIGTERM, SIG_IGN);
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  const ProgramResult result = run_program(shell("kill -TERM $$; echo survived"));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGTERM, old);
  EXPECT_EQ(result.exit_code(), 128 + SIGTERM);
}

TEST(ProcessId, IsNotFooledByAZombieOrAnotherStartTime) {
  const ProcessId us = this_process();
  EXPECT_TRUE(is_alive(us));
  EXPECT_FALSE(is_alive({us.pid, us.start_time + 1}));
  EXPECT_FALSE(send_signal({us.pid, us.start_time + 1}, SIGKILL));
  const ProcessId child = start_program(shell("exit 0"));
  EXPECT_TRUE(wait_until([&] { return !is_alive(child); })) << "an unreaped child that ended is not alive";
  ::waitpid(child.pid, nullptr, 0);
}

TEST(FindProgram, WalksThePathAndSkipsFoldersAndPlainFiles) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "a/tool");
  fs::create_directories(folder / "b");
  fs::create_directories(folder / "c");
  write_file_atomically(folder / "b/tool", "", 0644);
  write_file_atomically(folder / "c/tool", "", 0755);
  const std::string path = (folder / "a").string() + ":" + (folder / "b").string() + "::" + (folder / "c").string();
  EXPECT_EQ(find_program("tool", path), folder / "c/tool");
  EXPECT_EQ(find_program("tool", (folder / "a").string()), std::nullopt);
  EXPECT_EQ(find_program((folder / "c/tool").string(), ""), folder / "c/tool");
}

}  // namespace
}  // namespace lockstep
