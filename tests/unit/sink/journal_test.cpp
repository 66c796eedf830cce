#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <numeric>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "history/sink/journal.hpp"
#include "tests/support/repeatable.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::history {
namespace {

using lockstep::testing::TemporaryFolder;

JournalEntry loss_at(std::int64_t step) {
  JournalEntry entry;
  entry.step = step;
  entry.metrics = {{"train_loss", 1.0 / static_cast<double>(step + 1)}};
  return entry;
}

void append(const fs::path& file, std::string_view bytes) {
  const Fd fd = open_file(file, O_WRONLY | O_APPEND | O_CREAT);
  write_all(fd.get(), bytes);
}

std::vector<std::int64_t> sequences(const fs::path& file) {
  JournalReader reader(file);
  std::vector<std::int64_t> all;
  for (auto batch = reader.read_new(); !batch.empty(); batch = reader.read_new()) {
    for (const auto& entry : batch) all.push_back(entry.sequence);
  }
  return all;
}

std::vector<std::int64_t> counting_to(std::int64_t end) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(end));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(Journal, SetsRankSequenceAndTime) {
  const TemporaryFolder folder;
  Journal journal(folder / "rank-2.jsonl", 2);
  EXPECT_EQ(journal.next_sequence(), 0);
  JournalEntry entry = loss_at(10);
  entry.rank = 99;
  entry.sequence = 99;
  journal.log(entry);
  entry.timestamp_ms = 5;
  journal.log(entry);
  EXPECT_EQ(journal.next_sequence(), 2);
  JournalReader reader(folder / "rank-2.jsonl");
  const auto read = reader.read_new();
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].rank, 2);
  EXPECT_EQ(read[0].sequence, 0);
  EXPECT_LE(std::abs(read[0].timestamp_ms - now_ms()), 60'000);
  EXPECT_EQ(read[1].sequence, 1);
  EXPECT_EQ(read[1].timestamp_ms, 5);
}

TEST(Journal, GoesOnAfterARestart) {
  const TemporaryFolder folder;
  const fs::path file = folder / "rank-0.jsonl";
  for (int start = 0; start < 3; ++start) {
    Journal journal(file, 0);
    for (int i = 0; i < 4; ++i) journal.log(loss_at(i));
  }
  EXPECT_EQ(sequences(file), counting_to(12));
}

TEST(Journal, ClosesALineThatWasCutByAKill) {
  const std::string line = journal_line(loss_at(3));
  for (std::size_t length = 1; length < line.size(); ++length) {
    const TemporaryFolder folder;
    const fs::path file = folder / "rank-0.jsonl";
    {
      Journal journal(file, 0);
      journal.log(loss_at(0));
      journal.log(loss_at(1));
    }
    append(file, std::string_view(line).substr(0, length));
    Journal(file, 0).log(loss_at(2));
    EXPECT_EQ(sequences(file), counting_to(3)) << length;
  }
}

TEST(Journal, CountsAnEntryThatMissesOnlyItsNewline) {
  const TemporaryFolder folder;
  const fs::path file = folder / "rank-0.jsonl";
  append(file, journal_line(loss_at(0)));  // sequence 0, whole but for the newline
  Journal(file, 0).log(loss_at(1));
  EXPECT_EQ(sequences(file), counting_to(2));
}

TEST(Journal, FindsItsLastEntryBehindALotOfForeignText) {
  const TemporaryFolder folder;
  const fs::path file = folder / "rank-0.jsonl";
  {
    Journal journal(file, 0);
    for (int i = 0; i < 5; ++i) journal.log(loss_at(i));
  }
  append(file, std::string(700'000, 'x') + "\n" + std::string(5000, '\n') + std::string(10'000, 'y'));
  Journal journal(file, 0);
  EXPECT_EQ(journal.next_sequence(), 5);
  journal.log(loss_at(5));
  EXPECT_EQ(sequences(file), counting_to(6));
}

TEST(Journal, StartsFromZeroInAFileOfForeignText) {
  const TemporaryFolder folder;
  append(folder / "a", "\n");
  EXPECT_EQ(Journal(folder / "a", 0).next_sequence(), 0);
  append(folder / "b", std::string(200'000, 'z'));
  EXPECT_EQ(Journal(folder / "b", 0).next_sequence(), 0);
}

TEST(Journal, RefusesAnEntryThatIsTooLongAndGoesOn) {
  const TemporaryFolder folder;
  Journal journal(folder / "j", 0);
  JournalEntry entry;
  entry.tags = {{"big", std::string(longest_journal_line, 'x')}};
  try {
    journal.log(entry);
    FAIL() << "an entry longer than a line may be was logged";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
  }
  journal.log(loss_at(1));
  EXPECT_EQ(sequences(folder / "j"), counting_to(1));
}

// A full disk is played by a limit on the size of files (RLIMIT_FSIZE), in a process of its own.
TEST(Journal, LosesOnlyTheEntryThatTheDiskRefused) {
  const TemporaryFolder folder;
  const fs::path file = folder / "j";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    Journal journal(file, 0);
    journal.log(loss_at(0));
    const rlimit tight{fs::file_size(file) + 10, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &tight);
    int refused = 0;
    for (int i = 0; i < 2; ++i) {  // the first is cut after 10 bytes, the second can't be written at all
      try {
        journal.log(loss_at(1));
      } catch (const Error& error) {
        refused += error.code() == ExitCode::failed ? 1 : 0;
      }
    }
    const rlimit wide{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &wide);
    journal.log(loss_at(1));
    ::_exit(refused == 2 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(sequences(file), counting_to(2));
}

// The child tells each entry whose log() returned through a pipe, and is killed at a random moment.
TEST(Journal, HoldsEveryAcknowledgedEntryAfterKill9) {
  auto random = lockstep::testing::repeatable(7);
  const TemporaryFolder folder;
  const fs::path file = folder / "j";
  std::int64_t acknowledged = 0;
  for (int round = 0; round < 10; ++round) {
    auto [read_end, write_end] = make_pipe();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Journal journal(file, 0);
      while (true) {
        journal.log(loss_at(journal.next_sequence()));
        const std::int64_t next = journal.next_sequence();
        if (::write(write_end.get(), &next, sizeof next) != sizeof next) ::_exit(1);
      }
    }
    write_end.reset();
    const int kill_after = std::uniform_int_distribution<int>(1, 1000)(random);
    std::int64_t next = 0;
    for (int i = 0; ::read(read_end.get(), &next, sizeof next) == sizeof next; ++i) {
      acknowledged = next;
      if (i == kill_after) ::kill(child, SIGKILL);  // what it still wrote to the pipe is read too
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    const auto in_file = sequences(file);
    ASSERT_GE(static_cast<std::int64_t>(in_file.size()), acknowledged);
    ASSERT_EQ(in_file, counting_to(static_cast<std::int64_t>(in_file.size())));
  }
}

TEST(JournalReader, WaitsForTheFileAndForWholeLines) {
  const TemporaryFolder folder;
  const fs::path file = folder / "j";
  JournalReader reader(file);
  EXPECT_TRUE(reader.read_new().empty());
  const std::string line = journal_line(loss_at(1));
  append(file, line.substr(0, 20));
  EXPECT_TRUE(reader.read_new().empty());
  append(file, line.substr(20));
  EXPECT_TRUE(reader.read_new().empty());
  append(file, "\n" + line + "\n" + line.substr(0, 5));
  EXPECT_EQ(reader.read_new().size(), 2U);
  append(file, line.substr(5) + "\n");
  EXPECT_EQ(reader.read_new().size(), 1U);
  EXPECT_TRUE(reader.read_new().empty());
}

TEST(JournalReader, GivesNoMoreThanAskedForAndLosesNothing) {
  const TemporaryFolder folder;
  {
    Journal journal(folder / "j", 0);
    for (int i = 0; i < 5000; ++i) journal.log(loss_at(i));
  }
  JournalReader reader(folder / "j");
  std::vector<std::int64_t> all;
  for (auto batch = reader.read_new(7); !batch.empty(); batch = reader.read_new(7)) {
    ASSERT_LE(batch.size(), 7U);
    for (const auto& entry : batch) all.push_back(entry.sequence);
  }
  EXPECT_EQ(all, counting_to(5000));
}

TEST(JournalReader, SkipsForeignAndEndlessLines) {
  const TemporaryFolder folder;
  const std::string line = journal_line(loss_at(1));
  append(folder / "j", "hello\n\n" + line + "\n" + std::string(3 * longest_journal_line, 'x'));
  JournalReader reader(folder / "j");
  EXPECT_EQ(reader.read_new().size(), 1U);
  append(folder / "j", std::string(100, 'x') + "\n" + line + "\n");
  EXPECT_EQ(reader.read_new().size(), 1U);
}

}  // namespace
}  // namespace lockstep::history
