#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"
#include "history/sink/tensorboard/event.hpp"
#include "history/sink/tensorboard/event_file.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/sink/event_reader.hpp"

namespace lockstep::history::tensorboard {
namespace {

using lockstep::testing::fields_of;
using lockstep::testing::payloads_of;
using lockstep::testing::TemporaryFolder;

std::string loss_at(std::int64_t step) { return record(scalars_event({step, 1000}, {{"loss", 1.0}})); }

std::vector<std::int64_t> steps_in(const fs::path& file) {
  std::vector<std::int64_t> steps;
  for (const auto& payload : payloads_of(read_file(file))) {
    const auto event = fields_of(payload);
    if (event.numbers.contains(2)) steps.push_back(event.integer(2));
  }
  return steps;
}

TEST(EventFile, HasItsNameAndItsVersion) {
  const TemporaryFolder folder;
  const EventFile file(folder / "a/b");
  EXPECT_THAT(file.path().filename().string(), ::testing::MatchesRegex("events\\.out\\.tfevents\\.[0-9]+\\..*\\." +
                                                                       std::to_string(::getpid()) + "\\.0"));
  EXPECT_TRUE(is_event_file(file.path()));
  EXPECT_EQ(file.bytes(), fs::file_size(file.path()));
  const auto payloads = payloads_of(read_file(file.path()));
  ASSERT_EQ(payloads.size(), 1U);
  EXPECT_EQ(fields_of(payloads[0]).texts.at(3).at(0), "brain.Event:2");
}

TEST(EventFile, EveryStartHasAFileOfItsOwn) {
  const TemporaryFolder folder;
  EventFile first(folder.path());
  EventFile second(folder.path());
  EXPECT_NE(first.path(), second.path());
  first.append(loss_at(1));
  second.append(loss_at(2));
  EXPECT_EQ(steps_in(first.path()), std::vector<std::int64_t>{1});
  EXPECT_EQ(steps_in(second.path()), std::vector<std::int64_t>{2});
}

TEST(EventFile, GoesOnBehindWhatIsKnownToBeWhole) {
  const TemporaryFolder folder;
  fs::path path;
  std::uint64_t whole = 0;
  {
    EventFile file(folder.path());
    path = file.path();
    file.append(loss_at(1));
    whole = file.bytes();
    file.append(loss_at(2) + "torn");
  }
  EventFile again(path, whole);
  again.append(loss_at(3) + loss_at(4));
  EXPECT_EQ(again.bytes(), fs::file_size(path));
  EXPECT_EQ(steps_in(path), (std::vector<std::int64_t>{1, 3, 4}));
}

// A full disk is played by a limit on the size of files (RLIMIT_FSIZE), in a process of its own.
TEST(EventFile, LosesOnlyWhatTheDiskRefused) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    EventFile file(folder.path());
    file.append(loss_at(1));
    const rlimit tight{file.bytes() + 10, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &tight);
    int refused = 0;
    for (int i = 0; i < 2; ++i) {
      try {
        file.append(loss_at(2));
      } catch (const Error& error) {
        refused += error.code() == ExitCode::failed ? 1 : 0;
      }
    }
    const rlimit wide{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &wide);
    file.append(loss_at(3));
    ::_exit(refused == 2 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const auto file = fs::directory_iterator(folder.path())->path();
  EXPECT_EQ(steps_in(file), (std::vector<std::int64_t>{1, 3}));
}

TEST(EventFile, SaysWhyItCanNotBeMade) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "");
  EXPECT_ANY_THROW(EventFile(folder / "file/inside"));
}

}  // namespace
}  // namespace lockstep::history::tensorboard
