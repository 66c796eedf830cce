#include "launcher/supervise/ending.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "common/error.hpp"
#include "common/file.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/supervise/wait_status.hpp"

namespace lockstep::supervise {
namespace {

using history::RunState;
using ::testing::HasSubstr;

std::int64_t blocks_of(const fs::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_blocks : -1;
}

TEST(WriteEnding, HasRoomThatWasKeptForIt) {
  const testing::TemporaryFolder temporary;
  const RunFolder folder(temporary / "kind_owl");
  folder.create();
  const auto lock = FileLock::take(folder.owner_lock());
  EXPECT_TRUE(keep_room_for_ending(folder));
  EXPECT_EQ(fs::file_size(folder.owner_lock()), 0U);
  if (blocks_of(folder.owner_lock()) == 0) GTEST_SKIP() << "skipped: this file system keeps no room";
  write_ending(folder, ended(RunState::completed, "done"));
  EXPECT_GT(blocks_of(folder.owner_lock()), 0) << "it was not needed";
  EXPECT_EQ(read_ending(folder).value_or(Ending()).outcome.reason, "done");
  fs::remove(folder.state_file());
  fs::create_directory(folder.state_file());  // so that nothing can be written there
  EXPECT_THROW(write_ending(folder, ended(RunState::completed, "done")), Error);
  EXPECT_EQ(blocks_of(folder.owner_lock()), 0);
}

TEST(Judge, CompletesWhatExitedWithZero) {
  const Ending ending = judge(exited(0), std::nullopt, std::nullopt);
  EXPECT_EQ(ending.state, RunState::completed);
  EXPECT_EQ(ending.outcome.exit_code, 0);
  EXPECT_FALSE(ending.outcome.reason.empty());
}

TEST(Judge, TakesTheDiagnosisOfTheFailingRank) {
  Diagnosis diagnosis;
  diagnosis.rank = 3;
  diagnosis.signal = 11;
  diagnosis.reason = "rank 3 was killed by signal 11";
  diagnosis.log.last_lines = {"before the crash"};
  const Ending ending = judge(exited(139), std::nullopt, diagnosis);
  EXPECT_EQ(ending.state, RunState::failed);
  EXPECT_EQ(ending.outcome.reason, diagnosis.reason);
  EXPECT_EQ(ending.outcome.first_failed_rank, 3);
  EXPECT_EQ(ending.outcome.signal, 11);
  EXPECT_EQ(ending.outcome.exit_code, std::nullopt);
  EXPECT_EQ(ending.failure, diagnosis.log);
}

TEST(Judge, NamesTheSignalThatKilledTheProgram) {
  const Ending ending = judge(killed(9), std::nullopt, std::nullopt);
  EXPECT_EQ(ending.state, RunState::failed);
  EXPECT_EQ(ending.outcome.signal, 9);
  EXPECT_THAT(ending.outcome.reason, HasSubstr("signal 9 (Killed)"));
}

TEST(Judge, NeverCompletesWhatStoppedEarly) {
  EXPECT_EQ(judge(exited(75), std::nullopt, std::nullopt).state, RunState::canceled);
  EXPECT_EQ(judge(exited(75), StopRequest{RunState::canceled, "asked"}, std::nullopt).state, RunState::canceled);
}

TEST(Judge, LetsTheRequestWinOverTheExitCode) {
  for (const int status : {exited(0), exited(1), exited(75), killed(9)}) {
    const Ending ending = judge(status, StopRequest{RunState::canceled, "canceled by mia"}, std::nullopt);
    EXPECT_EQ(ending.state, RunState::canceled);
    EXPECT_EQ(ending.outcome.reason, "canceled by mia");
  }
  EXPECT_EQ(judge(exited(7), StopRequest{RunState::failed, "x"}, std::nullopt).outcome.exit_code, 7);
}

TEST(EndingFile, GivesBackWhatWasWritten) {
  const lockstep::testing::TemporaryFolder folder;
  const RunFolder run(folder.path());
  EXPECT_EQ(read_ending(run), std::nullopt);
  Ending ending = ended(RunState::failed, "quotes \" and\nlines");
  ending.outcome.exit_code = 1;
  ending.outcome.first_failed_rank = 2;
  ending.failure = FailureLog{"logs/rank-2.log", {"first", "bad \" one"}, "look there"};
  write_ending(run, ending);
  EXPECT_EQ(read_ending(run), ending);
}

TEST(EndingFile, SurvivesTextThatIsNotUtf8) {
  const auto got = ending_from_text(to_text(ended(RunState::failed, "bad \xff byte")));
  EXPECT_THAT(got.value_or(Ending()).outcome.reason, HasSubstr("bad "));
}

TEST(EndingFile, IsNotTakenFromForeignText) {
  for (const char* text :
       {"", "{", "[]", "{}", "{\"v\":1,\"state\":\"Running\"}", "{\"v\":1,\"state\":\"Nonsense\"}"}) {
    EXPECT_EQ(ending_from_text(text), std::nullopt) << text;
  }
  std::string whole = to_text(ended(RunState::completed, "r"));
  EXPECT_NE(ending_from_text(whole), std::nullopt);
  whole.resize(whole.size() / 2);
  EXPECT_EQ(ending_from_text(whole), std::nullopt);
}

}  // namespace
}  // namespace lockstep::supervise
