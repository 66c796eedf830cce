#include "history/sink/report/sender.hpp"

#include <gmock/gmock.h>

#include "common/clock.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"
#include "tests/unit/sink/tracking_stub.hpp"

namespace lockstep::history::report {
namespace {

using lockstep::testing::TemporaryFolder;
using lockstep::testing::TrackingStub;
using lockstep::testing::wait_until;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SenderTest : public ::testing::Test {
 protected:
  SenderTest() : journal(journal_file(folder.path(), 0), 0) {}

  Assignment assignment() {
    Assignment all;
    all.folder = folder.path();
    all.report.id = "abc";
    all.report.journals[0] = {};
    all.server.uri = server.url();
    all.times = {.poll_ms = 5, .first_backoff_ms = 5, .longest_backoff_ms = 20, .forbidden_ms = 20};
    all.say = [this](const std::string& line) {
      const std::lock_guard lock(mutex);
      said.push_back(line);
    };
    return all;
  }
  void log(int count) {
    for (int i = 0; i < count; ++i) {
      JournalEntry entry;
      entry.step = journal.next_sequence();
      entry.metrics = {{"loss", 0.5}};
      journal.log(entry);
    }
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex);
    return said;
  }
  // Every step once, in order.
  bool has_all() {
    const auto points = server.metric("loss");
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points[i].first != static_cast<std::int64_t>(i)) return false;
    }
    return static_cast<std::int64_t>(points.size()) == journal.next_sequence();
  }
  Report in_file() { return read_reports(folder.path()).at(1); }

  TemporaryFolder folder;
  TrackingStub server;
  Journal journal;
  std::mutex mutex;
  std::vector<std::string> said;
};

TEST_F(SenderTest, SendsWhileItIsWrittenAndTheEndAtTheEnd) {
  Sender sender(assignment());
  for (int i = 0; i < 5; ++i) {
    log(10);
    EXPECT_TRUE(wait_until([&] { return has_all(); }));
  }
  log(3);
  EXPECT_TRUE(sender.finish("FINISHED", 20'000));
  EXPECT_TRUE(has_all());
  EXPECT_EQ(server.status, "FINISHED");
  EXPECT_TRUE(server.end_time.has_value());
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("/#/experiments/7/runs/the-run")));
}

TEST_F(SenderTest, GoesOnWhenTheServerComesBackAndSaysEachOnce) {
  server.stop();
  Sender sender(assignment());
  log(10);
  ASSERT_TRUE(wait_until([&] { return !lines().empty(); }));
  log(10);
  server.start_again();
  EXPECT_TRUE(wait_until([&] { return has_all() && lines().size() == 3; }));
  server.stop();
  log(10);
  ASSERT_TRUE(wait_until([&] { return lines().size() == 4; }));
  server.start_again();
  EXPECT_TRUE(sender.finish("FINISHED", 20'000));
  EXPECT_TRUE(has_all());
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("can't be reached"), HasSubstr("reported to"), HasSubstr("answers again"),
                                   HasSubstr("can't be reached"), HasSubstr("answers again")));
}

TEST_F(SenderTest, WaitsUntilItIsLetIn) {
  for (int i = 0; i < 3; ++i) server.trouble({"runs/search", {.status = 401}});
  Sender sender(assignment());
  log(10);
  EXPECT_TRUE(wait_until([&] { return has_all(); }));
  EXPECT_TRUE(sender.finish("FINISHED", 20'000));
  EXPECT_THAT(lines().at(0), HasSubstr("does not let us in"));
}

TEST_F(SenderTest, LeavesARunOpenThatWillGoOn) {
  {
    Sender sender(assignment());
    log(10);
    EXPECT_TRUE(sender.finish("RUNNING", 20'000));
  }
  EXPECT_EQ(server.status, "RUNNING");
  Assignment again = assignment();
  again.report = in_file();
  log(10);
  Sender sender(again);
  EXPECT_TRUE(sender.finish("FAILED", 20'000));
  EXPECT_TRUE(has_all());
  EXPECT_EQ(server.runs_made, 1);
  EXPECT_EQ(server.status, "FAILED");
}

TEST_F(SenderTest, WaitsNoLongerThanItMay) {
  server.stop();
  Sender sender(assignment());
  log(30);
  EXPECT_FALSE(sender.finish("FINISHED", 50));
  EXPECT_EQ(sender.count_unsent_metrics(), 30);
  EXPECT_EQ(in_file().state, "FINISHED");  // for whoever sends it later
  server.start_again();
  Assignment later = assignment();
  later.report = in_file();
  Sender second(later);
  EXPECT_TRUE(second.finish("FINISHED", 20'000, true));
  EXPECT_TRUE(has_all());
  EXPECT_EQ(server.end_time, in_file().ended_ms);
}

// A server that has stopped answers nothing: an end with a limit must not wait for its own limit of a minute.
TEST_F(SenderTest, LeavesARequestThatIsNotAnswered) {
  std::atomic<bool> asked = false;
  std::atomic<bool> go = false;
  lockstep::testing::ScriptedServer silent([&](const auto&) {
    asked = true;
    wait_until([&] { return go.load(); });
    return lockstep::testing::ScriptedReply{};
  });
  Assignment to_silence = assignment();
  to_silence.server.uri = silent.url();
  Sender sender(to_silence);
  log(5);
  EXPECT_TRUE(wait_until([&] { return asked.load(); }));
  EXPECT_FALSE(sender.finish("FINISHED", 10));
  go = true;
  EXPECT_EQ(in_file().state, "FINISHED");
}

TEST_F(SenderTest, CallsTheRunKilledWhenASignalEndsTheProcess) {
  std::atomic<bool> signal = false;
  std::atomic<bool> left = false;
  Assignment killed = assignment();
  killed.interrupted = [&] { return signal.load(); };
  killed.leave = [&] { left = true; };
  Sender sender(killed);
  log(10);
  signal = true;
  EXPECT_TRUE(wait_until([&] { return left.load(); }));
  EXPECT_EQ(server.with([](TrackingStub& all) { return all.status; }), "KILLED");
  EXPECT_TRUE(has_all());
}

TEST_F(SenderTest, SaysOnceThatItGivesUpAndTheJournalStays) {
  server.trouble({"runs/create", {.status = 400, .body = R"({"message":"the experiment is deleted"})"}});
  Sender sender(assignment());
  log(10);
  EXPECT_TRUE(wait_until([&] { return !lines().empty(); }));
  EXPECT_FALSE(sender.finish("FINISHED", 1000));
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("the experiment is deleted (400)")));
  EXPECT_EQ(sender.count_unsent_metrics(), 10);
}

}  // namespace
}  // namespace lockstep::history::report
