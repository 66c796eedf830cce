#include "common/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep {
namespace {

using testing::TemporaryFolder;

TEST(ReadFile, GivesTheBytesThatWereWritten) {
  const TemporaryFolder folder;
  std::string bytes;
  for (int i = 0; i < 200'000; ++i) bytes += static_cast<char>(i * 31);
  write_file_durably(folder / "a", bytes);
  EXPECT_EQ(read_file(folder / "a"), bytes);
}

TEST(ReadFile, TellsMissingFromTooLarge) {
  const TemporaryFolder folder;
  try {
    read_file(folder / "none");
    FAIL() << "read a file that is not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::not_found);
  }
  write_file_atomically(folder / "big", "12345678");
  EXPECT_EQ(read_file(folder / "big", 8), "12345678");
  EXPECT_THROW(read_file(folder / "big", 7), Error);
  EXPECT_FALSE(read_file_if_exists(folder / "none").has_value());
}

TEST(WriteFile, LeavesTheOldContentAndNoPartWhenItFails) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "taken");
  write_file_durably(folder / "taken/inside", "kept");
  EXPECT_THROW(write_file_durably(folder / "taken", "x"), Error);  // a folder is no file to replace
  EXPECT_EQ(read_file(folder / "taken/inside"), "kept");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(FileLock, IsHeldByAForkedChildUntilItIsKilled) {
  const TemporaryFolder folder;
  auto [read_end, write_end] = make_pipe();
  pid_t child = 0;
  {
    const auto lock = FileLock::try_take(folder / "lock");
    ASSERT_TRUE(lock.has_value());
    child = ::fork();
    if (child == 0) {
      write_all(write_end.get(), "x");
      while (true) ::pause();
    }
    char byte = 0;
    ASSERT_EQ(::read(read_end.get(), &byte, 1), 1);
    EXPECT_FALSE(FileLock::try_take(folder / "lock").has_value());
  }
  EXPECT_FALSE(FileLock::try_take(folder / "lock").has_value()) << "the child still holds it";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::try_take(folder / "lock").has_value());
}

TEST(Fd, ClosesOnExecAndOnce) {
  Fd fd = open_file("/dev/null", O_RDONLY);
  EXPECT_TRUE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC);
  const int number = fd.get();
  Fd other = std::move(fd);
  EXPECT_FALSE(static_cast<bool>(fd));  // NOLINT(bugprone-use-after-move): that it is empty then is the fact
  other.reset();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace lockstep
