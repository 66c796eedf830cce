#include "launcher/entrypoint/stay.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "common/process.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::entrypoint {
namespace {

using lockstep::testing::TemporaryFolder;
using lockstep::testing::wait_until;

// A process that stays with a shell's script, and ends as it ended.
class Parent {
 public:
  explicit Parent(
      const std::string& script, const std::function<void(Command&)>& look = [](Command&) {}) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    end_like(stay_with([&] { ::execl("/bin/bash", "bash", "-c", script.c_str(), nullptr); }, look));
  }
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;
  ~Parent() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  void signal(int number) const { ::kill(pid_, number); }
  // waitpid's status
  int wait() {
    int status = -1;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_ = 0;
};

bool has_line(const fs::path& file) {
  const auto text = read_file_if_exists(file);
  return text && text->ends_with('\n');
}

TEST(Stay, EndsAsItsCommandEnded) {
  int status = Parent("exit 7").wait();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  status = Parent("kill -SEGV $$").wait();
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSEGV);
}

TEST(Stay, PassesSignalsOn) {
  const TemporaryFolder folder;
  const std::string ready = (folder / "ready").string();
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP}) {
    fs::remove(ready);
    Parent parent(fmt::format("trap 'exit {0}' {0}; echo > {1}; while :; do sleep 0.01; done", signal, ready));
    ASSERT_TRUE(wait_until([&] { return has_line(ready); }));
    parent.signal(signal);
    const int status = parent.wait();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == signal) << signal;
  }
}

TEST(Stay, TakesTheEndOfADismissedCommandForASuccess) {
  const TemporaryFolder folder;
  const fs::path over = folder / "over";
  Parent parent(fmt::format("echo > {}; sleep 600", over.string()), [&](Command& command) {
    if (has_line(over)) command.dismiss();
  });
  const int status = parent.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(Stay, ReapsWhatIsLeftToIt) {
  const TemporaryFolder folder;
  const std::string file = (folder / "orphan").string();
  // The orphan's parent ends before it; it belongs to the command's group and ends with it.
  const int status = Parent(fmt::format("(sleep 600 & echo $! > {}); exit 0", file)).wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  const pid_t orphan = std::stoi(read_file(file));
  EXPECT_TRUE(wait_until([&] { return !start_time_of(orphan); }));
}

TEST(Stay, TakesItsCommandAlongWhenItIsKilled) {
  const TemporaryFolder folder;
  const std::string file = (folder / "command").string();
  Parent parent(fmt::format("echo $$ > {}; exec sleep 600", file));
  ASSERT_TRUE(wait_until([&] { return has_line(file); }));
  const pid_t command = std::stoi(read_file(file));
  parent.signal(SIGKILL);
  parent.wait();
  EXPECT_TRUE(wait_until([&] { return !start_time_of(command); }));
}

}  // namespace
}  // namespace lockstep::entrypoint
