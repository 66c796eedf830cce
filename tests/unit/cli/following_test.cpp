#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include <fstream>

#include "api/ranks_of_run.hpp"
#include "cli/copy_tree.hpp"
#include "cli/interrupt.hpp"
#include "cli/log_tail.hpp"
#include "cli/screen.hpp"
#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::cli {
namespace {

using lockstep::testing::TemporaryFolder;

void append(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::app | std::ios::binary) << bytes;
}

TEST(LogTail, GivesNothingBeforeThereIsAFile) {
  const TemporaryFolder folder;
  LogTail tail(folder / "rank-0.log");
  EXPECT_EQ(tail.read_new(0, false), "");
  append(folder / "rank-0.log", "one\n");
  EXPECT_EQ(tail.read_new(1, false), "one\n");
}

TEST(LogTail, HoldsALineBackUntilItIsWholeOrOld) {
  const TemporaryFolder folder;
  LogTail tail(folder / "log");
  append(folder / "log", "one\ntw");
  EXPECT_EQ(tail.read_new(0, false), "one\n");
  EXPECT_EQ(tail.read_new(10, false), "");
  append(folder / "log", "o\nthree");
  EXPECT_EQ(tail.read_new(20, false), "two\n");
  EXPECT_EQ(tail.read_new(319, false), "");
  EXPECT_EQ(tail.read_new(320, false), "three");
  append(folder / "log", " and more");
  EXPECT_EQ(tail.read_new(330, true), "");
  EXPECT_EQ(tail.read_new(330, true), " and more");
}

TEST(LogTail, GivesBackEveryByteOfABinaryLog) {
  const TemporaryFolder folder;
  std::string bytes;
  for (unsigned i = 0; i < 300'000; ++i) bytes += static_cast<char>((i * 7919U) >> 3U);
  append(folder / "log", bytes);
  LogTail tail(folder / "log");
  std::string got;
  for (int i = 0; i < 10'000 && got.size() < bytes.size(); ++i) got += tail.read_new(0, true, 1000);
  EXPECT_TRUE(got == bytes);
}

TEST(LogTail, DoesNotKeepAnEndlessLineInMemory) {
  const TemporaryFolder folder;
  append(folder / "log", std::string(100'000, 'x'));
  LogTail tail(folder / "log");
  EXPECT_EQ(tail.read_new(0, false).size(), 100'000U);
}

// What a screen wrote into a pipe.
class PipedScreen {
 public:
  explicit PipedScreen(bool name_ranks) : pipe_(make_pipe()), screen_(pipe_.second.get(), name_ranks) {
    ::fcntl(pipe_.first.get(), F_SETFL, O_NONBLOCK);
  }
  Screen& operator*() { return screen_; }
  Screen* operator->() { return &screen_; }
  std::string written() {
    screen_.flush();
    std::string bytes(65536, '\0');
    const ssize_t count = ::read(pipe_.first.get(), bytes.data(), bytes.size());
    bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return bytes;
  }

 private:
  std::pair<Fd, Fd> pipe_;
  Screen screen_;
};

TEST(Screen, PassesTheBytesOfASingleRankOnAsTheyAre) {
  PipedScreen screen(false);
  const std::string bytes("a\0b\xff\r\nc", 8);
  screen->log(0, bytes);
  EXPECT_EQ(screen.written(), bytes);
}

TEST(Screen, NamesTheRankOfEveryLine) {
  PipedScreen screen(true);
  screen->log(0, "a\nb\n");
  screen->log(11, "c\n");
  EXPECT_EQ(screen.written(), "[0] a\n[0] b\n[11] c\n");
}

TEST(Screen, ContinuesALineOfTheSameRankAndEndsItForAnother) {
  PipedScreen screen(true);
  screen->log(0, "wait");
  screen->log(0, "ing\n");
  screen->log(0, "open");
  screen->log(1, "other\n");
  screen->log(1, "tail");
  screen->say("Finalizing");
  EXPECT_EQ(screen.written(), "[0] waiting\n[0] open\n[1] other\n[1] tail\nFinalizing\n");
}

TEST(Screen, DrawsNoLiveLineInAPipe) {
  PipedScreen screen(false);
  screen->live("50 %");
  EXPECT_EQ(screen.written(), "");
}

TEST(InterruptWatch, CountsInsteadOfDying) {
  InterruptWatch watch;
  EXPECT_EQ(watch.count(), 0);
  ::raise(SIGINT);
  ::raise(SIGINT);
  EXPECT_EQ(watch.count(), 2);
}

TEST(RanksOfRun, ComeFromThePlan) {
  const TemporaryFolder folder;
  const RunFolder run(folder / "r");
  EXPECT_THAT(api::shown_ranks(run, std::nullopt), ::testing::ElementsAre(0));
  fs::create_directories(run.root());
  append(run.plan_file(), R"({"ranks": [{"rank": 0}, {"rank": 1}, {"rank": 2}]})");
  EXPECT_THAT(api::shown_ranks(run, std::nullopt), ::testing::ElementsAre(0, 1, 2));
  EXPECT_THAT(api::shown_ranks(run, 2), ::testing::ElementsAre(2));
  EXPECT_THROW(api::shown_ranks(run, 3), Error);
  EXPECT_THROW(api::shown_ranks(run, -1), Error);
}

TEST(CopyTree, CopiesFilesAndLinksOverWhatIsThere) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "from/sub");
  append(folder / "from/sub/a", "new");
  fs::create_symlink("/nowhere", folder / "from/link");
  ASSERT_EQ(::mkfifo((folder / "from/pipe").c_str(), 0600), 0);
  fs::create_directories(folder / "to/sub");
  append(folder / "to/sub/a", "older text");
  append(folder / "to/kept", "kept");
  for (int i = 0; i < 2; ++i) {
    const CopyCount count = copy_tree(folder / "from", folder / "to");
    EXPECT_EQ(count.files, 2U);
    EXPECT_EQ(count.bytes, 3U);
  }
  EXPECT_EQ(read_file(folder / "to/sub/a"), "new");
  EXPECT_EQ(read_file(folder / "to/kept"), "kept");
  EXPECT_EQ(fs::read_symlink(folder / "to/link"), "/nowhere");
  EXPECT_FALSE(fs::exists(fs::symlink_status(folder / "to/pipe")));
  EXPECT_EQ(copy_tree(folder / "none", folder / "to").files, 0U);
}

}  // namespace
}  // namespace lockstep::cli
