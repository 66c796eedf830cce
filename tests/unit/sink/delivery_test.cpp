// What a tracking server is told, once, through everything that can go wrong on the way.
#include <gmock/gmock.h>

#include "common/error.hpp"
#include "history/sink/report/delivery.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/sink/tracking_stub.hpp"

namespace lockstep::history::report {
namespace {

using lockstep::testing::ScriptedReply;
using lockstep::testing::TemporaryFolder;
using lockstep::testing::TrackingStub;
using ::testing::Contains;
using ::testing::HasSubstr;
using Points = std::vector<std::pair<std::int64_t, double>>;

class DeliveryTest : public ::testing::Test {
 protected:
  DeliveryTest() {
    report.id = "abc";
    report.tracking_uri = server.url();
    report.experiment_name = "mine";
    report.run_name = "cnn";
    report.started_ms = 5;
    report.journals[0] = {};
  }

  void log(std::int64_t from, std::int64_t to, int rank = 0) {
    Journal journal(journal_file(folder.path(), rank), rank);
    for (std::int64_t step = from; step < to; ++step) {
      JournalEntry entry;
      entry.step = step;
      entry.metrics = {{"loss", static_cast<double>(step)}};
      journal.log(entry);
    }
  }
  static Points points(std::int64_t from, std::int64_t to) {
    Points all;
    for (std::int64_t step = from; step < to; ++step) all.emplace_back(step, static_cast<double>(step));
    return all;
  }
  // As a process that starts anew would have it.
  std::unique_ptr<Delivery> delivery(std::optional<Report> from = {}) {
    ServerSettings settings;
    settings.uri = server.url();
    settings.total_s = 5;
    const auto say = [this](const std::string& line) { said.push_back(line); };
    return std::make_unique<Delivery>(folder.path(), 1, from ? *from : report,
                                      TrackingServer(settings, [] { return false; }), say);
  }
  static void send(Delivery& delivery) {
    delivery.send_what_is_there([] { return false; });
  }
  // Until it passes; how often it did not.
  static int send_stubbornly(Delivery& delivery) {
    for (int failures = 0;; ++failures) {
      try {
        send(delivery);
        return failures;
      } catch (const TryLater&) {
        if (failures == 20) throw;
      }
    }
  }
  Report in_file() { return read_reports(folder.path()).at(1); }

  TemporaryFolder folder;
  TrackingStub server;
  Report report;
  std::vector<std::string> said;
};

TEST_F(DeliveryTest, MakesTheRunAndSendsWhatIsThereAndWhatComes) {
  log(0, 10);
  const auto sending = delivery();
  send(*sending);
  EXPECT_EQ(server.metric("loss"), points(0, 10));
  log(10, 12);
  send(*sending);
  send(*sending);
  EXPECT_EQ(server.metric("loss"), points(0, 12));
  EXPECT_EQ(server.batches.size(), 2U);
  EXPECT_EQ(server.tags["mlflow.source.type"], "JOB");
  EXPECT_EQ(server.tags["lockstep.reported.rank-0"], "abc:12.0");
  EXPECT_EQ(in_file().journals[0].sent, (Position{12, 0}));
  EXPECT_EQ(in_file().run_id, "the-run");
  EXPECT_EQ(in_file().experiment_id, "7");
  sending->note_end("FINISHED", 99);
  EXPECT_FALSE(is_complete(folder.path(), in_file()));
  sending->send_end();
  EXPECT_EQ(server.status, "FINISHED");
  EXPECT_EQ(server.end_time, 99);
  EXPECT_TRUE(is_complete(folder.path(), in_file()));
}

TEST_F(DeliveryTest, SendsJournalsOfSeveralRanksAndOfThisTrainingAlone) {
  log(0, 5, 0);
  log(0, 5, 1);
  report.journals[0].sent = {3, 0};
  report.journals[1] = {{1, 0}, 4};
  report.journals[2] = {};  // has not written anything yet
  const auto sending = delivery();
  send(*sending);
  EXPECT_EQ(server.metric("loss"), (Points{{3, 3}, {4, 4}, {1, 1}, {2, 2}, {3, 3}}));
}

TEST_F(DeliveryTest, BatchesWhatHasPiledUp) {
  log(0, 2500);
  send(*delivery());
  EXPECT_EQ(server.metric("loss"), points(0, 2500));
  EXPECT_EQ(server.batches.size(), 3U);
}

TEST_F(DeliveryTest, SendsAgainWhatDidNotArriveAndOnlyThat) {
  for (const bool arrived : {false, true}) {
    for (const ScriptedReply& reply : {ScriptedReply{.dropped = true}, ScriptedReply{.status = 503},
                                       ScriptedReply{.status = 200, .body = "<html>a proxy"}}) {
      const std::int64_t before = next_sequence_in(journal_file(folder.path(), 0));
      server.trouble({"runs/log-batch", reply, arrived});
      log(before, before + 3);
      if (before > 0) report = in_file();
      EXPECT_EQ(send_stubbornly(*delivery()), 1);
      EXPECT_EQ(server.metric("loss"), points(0, before + 3));
    }
  }
  EXPECT_EQ(server.runs_made, 1);
}

TEST_F(DeliveryTest, KnowsFromTheServerWhatAKilledProcessHadSent) {
  log(0, 4);
  send(*delivery());
  log(4, 6);
  // the process was killed when the answer was under way: its file does not know of the first four
  Report old = report;
  old.run_id = "the-run";
  send(*delivery(old));
  EXPECT_EQ(server.metric("loss"), points(0, 6));
}

TEST_F(DeliveryTest, MakesOneRunWhenTheAnswerToTheFirstIsLost) {
  log(0, 2);
  server.trouble({"runs/create", {.dropped = true}, true});
  const auto sending = delivery();
  EXPECT_EQ(send_stubbornly(*sending), 1);
  EXPECT_EQ(server.runs_made, 1);
  EXPECT_EQ(server.metric("loss"), points(0, 2));
}

// So that a server to which both come at last can tell that they are the same.
TEST_F(DeliveryTest, SendsABatchAgainAsItWas) {
  std::vector<std::string> ends;
  server.refuse_batch = [&](const nlohmann::json& body) {
    for (const auto& tag : body["tags"]) {
      if (tag["key"] == "lockstep.reported.rank-0") ends.push_back(tag["value"]);
    }
    return "";
  };
  log(0, 2);
  const auto sending = delivery();
  send(*sending);
  log(2, 6);
  server.trouble({"runs/log-batch", {.dropped = true}});
  EXPECT_THROW(send(*sending), TryLater);
  log(6, 9);  // the training goes on
  send(*sending);
  EXPECT_THAT(ends, ::testing::ElementsAre("abc:2.0", "abc:6.0", "abc:9.0"));
  EXPECT_EQ(server.metric("loss"), points(0, 9));
}

TEST_F(DeliveryTest, DoesNotTakeAnothersTagForItsOwn) {
  log(0, 3);
  server.tags["lockstep.reported.rank-0"] = "another:2.0";
  send(*delivery());
  EXPECT_EQ(server.metric("loss"), points(0, 3));
}

TEST_F(DeliveryTest, SendsWhatAJournalHoldsThatIsShorterThanWhatWasSent) {
  log(0, 3);
  server.tags["lockstep.reported.rank-0"] = "abc:50.0";  // a power loss took the rest
  report.run_id = "the-run";
  report.journals[0].sent = {50, 0};
  const auto sending = delivery();
  send(*sending);
  log(3, 5);
  server.trouble({"runs/log-batch", {.dropped = true}});
  send_stubbornly(*sending);
  EXPECT_EQ(server.metric("loss"), points(3, 5));
  EXPECT_FALSE(server.tags["lockstep.reported.rank-0"].starts_with("abc:"))
      << "the server has another 5.0 of that report";
}

TEST_F(DeliveryTest, PassesOverWhatTheServerRefusesAndSaysSo) {
  server.refuse_batch = [](const nlohmann::json& body) {
    for (const auto& each : body["metrics"]) {
      if (each["step"] == 333 || each["step"] == 334) return "no such step";
    }
    return "";
  };
  log(0, 1500);
  const auto sending = delivery();
  send(*sending);
  Points wanted = points(0, 1500);
  wanted.erase(wanted.begin() + 333, wanted.begin() + 335);
  EXPECT_EQ(server.metric("loss"), wanted);
  EXPECT_EQ(sending->refused(), 2);
  EXPECT_THAT(said, Contains(HasSubstr("refuses 'loss': no such step (400)")));
  EXPECT_EQ(in_file().journals[0].sent, (Position{1500, 0}));
}

TEST_F(DeliveryTest, KeepsTheFirstValueOfAParameter) {
  server.params["lr"] = "0.1";
  report.run_id = "the-run";
  Journal journal(journal_file(folder.path(), 0), 0);
  JournalEntry entry;
  entry.params = {{"lr", "0.2"}, {"epochs", "3"}};
  journal.log(entry);
  send(*delivery());
  EXPECT_EQ(server.params["lr"], "0.1");
  EXPECT_EQ(server.params["epochs"], "3");
  EXPECT_EQ(said.size(), 1U);  // where it is reported to
}

TEST_F(DeliveryTest, GivesUpOnARunThatIsDeleted) {
  log(0, 3);
  const auto sending = delivery();
  send(*sending);
  server.with([](TrackingStub& all) { return all.deleted = true; });
  log(3, 2000);
  const auto before = server.with([](TrackingStub& all) { return all.requests.size(); });
  EXPECT_THROW(send(*sending), GiveUp);
  EXPECT_LE(server.with([](TrackingStub& all) { return all.requests.size(); }) - before, 3U);
}

TEST_F(DeliveryTest, SaysHowManyValuesAreLeft) {
  log(0, 700);
  const auto sending = delivery();
  server.stop();
  EXPECT_THROW(send(*sending), TryLater);
  EXPECT_EQ(sending->count_unsent_metrics(), 700);
}

TEST_F(DeliveryTest, ShowsItsToken) {
  log(0, 1);
  ServerSettings settings;
  settings.uri = server.url();
  settings.token = "secret";
  const auto sent_header = [&] {
    Delivery sending(folder.path(), 1, report, TrackingServer(settings, [] { return false; }), [](const auto&) {});
    send(sending);
    return server.requests.back().header;
  };
  EXPECT_THAT(sent_header(), HasSubstr("Authorization: Bearer secret\r\n"));
  settings.username = "user";
  settings.password = "word";
  EXPECT_THAT(sent_header(), HasSubstr("Authorization: Basic dXNlcjp3b3Jk\r\n"));
  EXPECT_EQ(read_file(folder / "report-1.json").find("secret"), std::string::npos);
}

TEST_F(DeliveryTest, ReportFilesComeBackAsTheyWere) {
  report.run_id = "r";
  report.state = "KILLED";
  report.ended_ms = 17;
  report.journals[3] = {{4, 5}, 6};
  write_report(folder.path(), 12, report);
  EXPECT_EQ(read_reports(folder.path()), (std::map<int, Report>{{12, report}}));
  write_file_atomically(folder / "report-2.json", "{");
  EXPECT_THROW(read_reports(folder.path()), Error);
  EXPECT_TRUE(read_reports(folder / "nothing").empty());
}

TEST(ServerSettings, HideCredentials) {
  EXPECT_EQ(without_credentials("https://u:p@host:1/a@b"), "https://host:1/a@b");
  EXPECT_EQ(without_credentials("http://host/u@h"), "http://host/u@h");
  EXPECT_EQ(without_credentials("nothing"), "nothing");
}

}  // namespace
}  // namespace lockstep::history::report
