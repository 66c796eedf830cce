#include "launcher/supervise/journal_intake.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include "tests/support/temporary_folder.hpp"

namespace lockstep::supervise {
namespace {

using history::Journal;
using history::JournalEntry;
using lockstep::testing::TemporaryFolder;

class JournalIntakeTest : public ::testing::Test {
 protected:
  JournalIntakeTest() : folder(temporary / "run"), store(history::open_sqlite_store(temporary / "history.db")) {
    folder.create();
    history::NewRun run;
    run.run_id = "run";
    run.experiment_id = store->get_or_create_experiment("e").experiment_id;
    store->create_run(run);
  }

  static JournalEntry entry(std::int64_t step) {
    JournalEntry entry;
    entry.step = step;
    entry.metrics = {{"loss", static_cast<double>(step) / 2}};
    return entry;
  }
  std::vector<std::int64_t> stored_steps(const std::string& key = "loss") {
    std::vector<std::int64_t> steps;
    for (const auto& each : store->metric_history("run", key)) steps.push_back(each.step);
    return steps;
  }

  TemporaryFolder temporary;
  RunFolder folder;
  std::unique_ptr<history::Store> store;
};

TEST_F(JournalIntakeTest, TakesWhatCameSinceTheLastTime) {
  JournalIntake intake(folder, 2);
  EXPECT_EQ(intake.take_new(*store), 0U);
  Journal journal(folder.journal(1), 1);
  journal.log(entry(10));
  journal.log(entry(20));
  EXPECT_EQ(intake.take_new(*store), 2U);
  EXPECT_EQ(intake.take_new(*store), 0U);
  journal.log(entry(30));
  EXPECT_EQ(intake.take_all(*store), 1U);
  EXPECT_EQ(stored_steps(), (std::vector<std::int64_t>{10, 20, 30}));
}

TEST_F(JournalIntakeTest, TellsWhereTheFirstRankBeganAndHowFarItCameInEachAttempt) {
  JournalIntake intake(folder, 2);
  Journal journal(folder.journal(0), 0);
  Journal(folder.journal(1), 1).log(entry(99));
  EXPECT_EQ(intake.last_step(), std::nullopt);
  for (const std::int64_t step : {0, 10, 20}) journal.log(entry(step));
  intake.take_all(*store);
  EXPECT_EQ(intake.first_step(), 0);
  EXPECT_EQ(intake.last_step(), 20);
  intake.begin_attempt();
  EXPECT_EQ(intake.last_step(), std::nullopt);
  for (const std::int64_t step : {15, 16}) journal.log(entry(step));
  intake.take_all(*store);
  EXPECT_EQ(intake.first_step(), 15);
  EXPECT_EQ(intake.last_step(), 16);
}

TEST_F(JournalIntakeTest, GoesOnWhereAnotherOneWasKilled) {
  Journal journal(folder.journal(0), 0);
  for (const std::int64_t step : {1, 2, 3}) journal.log(entry(step));
  JournalIntake(folder, 1).take_all(*store);
  for (const std::int64_t step : {4, 5}) journal.log(entry(step));
  JournalIntake(folder, 1).take_all(*store);
  EXPECT_EQ(stored_steps(), (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
}

TEST_F(JournalIntakeTest, IsNotHeldUpByALineThatWasCut) {
  {
    Journal journal(folder.journal(0), 0);
    journal.log(entry(1));
  }
  write_all(open_file(folder.journal(0), O_WRONLY | O_APPEND).get(), R"({"v":1,"rank":0,"seq":1,"st)");
  JournalIntake intake(folder, 1);
  intake.take_all(*store);
  Journal journal(folder.journal(0), 0);  // the rank is started again
  journal.log(entry(2));
  intake.take_all(*store);
  EXPECT_EQ(stored_steps(), (std::vector<std::int64_t>{1, 2}));
}

TEST_F(JournalIntakeTest, IsNotHeldUpByAHoleInTheSequence) {
  const Fd file = open_file(folder.journal(0), O_WRONLY | O_CREAT | O_APPEND);
  for (const std::int64_t sequence : {0, 5, 5, 3, 9}) {
    JournalEntry one = entry(sequence);
    one.sequence = sequence;
    one.timestamp_ms = 1;
    write_all(file.get(), history::journal_line(one) + "\n");
  }
  JournalIntake(folder, 1).take_all(*store);
  EXPECT_EQ(stored_steps(), (std::vector<std::int64_t>{0, 5, 9}));
  EXPECT_EQ(store->journal_taken_through("run", 0), 9);
}

TEST_F(JournalIntakeTest, LeavesOutOnlyWhatTheStoreRefuses) {
  Journal journal(folder.journal(0), 0);
  JournalEntry bad = entry(1);
  bad.metrics.push_back({"not;a;key", 1.0});
  journal.log(bad);
  journal.log(entry(2));
  JournalIntake(folder, 1).take_all(*store);
  EXPECT_EQ(stored_steps(), (std::vector<std::int64_t>{1, 2}));
}

}  // namespace
}  // namespace lockstep::supervise
