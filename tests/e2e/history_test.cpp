// `lockstep history`: what is left of a history when its store is gone, and of an import that was killed.
#include <gmock/gmock.h>

#include <fstream>

#include "common/file.hpp"
#include "history/store/store.hpp"
#include "tests/e2e/sandbox.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

// Logs through its journal, and as MLflow's client does: a child run, a tag.
constexpr const char* logging_job = R"yml(
command: |
  echo '{"v":1,"rank":0,"seq":0,"step":1,"coll":0,"t":1764000000000,"metrics":{"loss":0.5},"params":{"depth":"3"}}' >> $LOCKSTEP_RUN_DIR/metrics/rank-0.jsonl
  echo '{"v":1,"rank":0,"seq":1,"step":2,"coll":0,"t":1764000000001,"metrics":{"loss":"NaN"},"tags":{"note":"journal"}}' >> $LOCKSTEP_RUN_DIR/metrics/rank-0.jsonl
  python3 - <<'PY'
  import json, os, urllib.request
  def call(path, body):
      request = urllib.request.Request(os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/" + path,
                                       json.dumps(body).encode(), {"Content-Type": "application/json",
                                       "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]})
      return json.loads(urllib.request.urlopen(request, timeout=60).read())
  me = os.environ["MLFLOW_RUN_ID"]
  call("runs/log-metric", dict(run_id=me, key="by_client", value=7, step=1, timestamp=1))
  call("runs/create", dict(experiment_id="0", run_name="fold", start_time=5, tags=[]))
  PY
experiment_name: mine
tags: {team: vision}
description: words
inputs: {lr: 0.1}
)yml";

class History : public ::testing::Test {
 protected:
  fs::path store_file() const { return sandbox.folder() / ".lockstep" / "history.db"; }
  std::unique_ptr<history::Store> store() const { return history::open_sqlite_store(store_file()); }
  void lose_the_store() const {
    for (const char* ending : {"", "-wal", "-shm"}) fs::remove(store_file().string() + ending);
  }
  // All that an export says, but when it was made and the times of experiments.
  std::vector<std::string> exported() {
    std::istringstream lines(sandbox.lockstep({"history", "export"}).out);
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("{\"run\"") || line.starts_with("{\"series\"") || line.starts_with("{\"end\""))
        all.push_back(line);
    }
    return all;
  }
  nlohmann::json rebuild() {
    const Answer answer = sandbox.lockstep({"history", "rebuild", "-o", "json"});
    EXPECT_EQ(answer.exit_code, 0) << answer.both();
    return nlohmann::json::parse(answer.out);
  }

  Sandbox sandbox;
};

TEST_F(History, IsRebuiltFromTheFoldersWhenTheStoreIsLost) {
  ASSERT_EQ(sandbox.run(logging_job, {"--name", "logging"}).exit_code, 0);
  sandbox.run("command: exit 3\n", {"--name", "failing"});
  const auto before = exported();
  ASSERT_GE(before.size(), 6U);
  lose_the_store();
  const auto json = rebuild();
  EXPECT_EQ(json["runs_added"], 3);  // with the child
  EXPECT_EQ(json["from_archives"], 2);
  EXPECT_EQ(exported(), before);
  EXPECT_EQ(rebuild()["runs_added"], 0);
  EXPECT_EQ(exported(), before);
}

// A run of a release before there were archives, or one whose archive was lost.
TEST_F(History, IsRebuiltFromJobPlanAndJournalsWithoutAnArchive) {
  ASSERT_EQ(sandbox.run(logging_job, {"--name", "logging"}).exit_code, 0);
  sandbox.run("command: exit 3\n", {"--name", "failing"});
  const history::FullRun before = store()->get_full_run("logging");
  const history::Run failed_before = store()->get_run("failing");
  fs::remove(sandbox.run_folder("logging").history_file());
  fs::resize_file(sandbox.run_folder("failing").history_file(), 40);
  lose_the_store();
  const auto json = rebuild();
  EXPECT_EQ(json["runs_added"], 2);
  EXPECT_THAT(json["remarks"].dump(), HasSubstr("history.jsonl.gz"));
  const history::FullRun after = store()->get_full_run("logging");
  EXPECT_EQ(after.run.state, history::RunState::completed);
  EXPECT_EQ(after.run.experiment_name, "mine");
  EXPECT_EQ(after.run.display_name, before.run.display_name);
  EXPECT_EQ(after.run.user_id, before.run.user_id);
  EXPECT_EQ(after.run.artifact_uri, before.run.artifact_uri);
  EXPECT_EQ(after.run.outcome, before.run.outcome);
  EXPECT_LE(std::abs(after.run.created_ms - before.run.created_ms), 5'000);
  EXPECT_LE(std::abs(after.run.started_ms - before.run.started_ms), 5'000);
  EXPECT_LE(std::abs(after.run.ended_ms - before.run.ended_ms), 5'000);
  EXPECT_EQ(after.params, before.params);
  EXPECT_THAT(after.tags,
              AllOf(Contains(history::KeyValue{"team", "vision"}), Contains(history::KeyValue{"note", "journal"}),
                    Contains(history::KeyValue{"mlflow.note.content", "words"})));
  ASSERT_EQ(store()->metric_history("logging", "loss").size(), 2U);
  EXPECT_TRUE(store()->metric_history("logging", "by_client").empty());  // what the folder does not tell
  const history::Run failed = store()->get_run("failing");
  EXPECT_EQ(failed.state, history::RunState::failed);
  EXPECT_EQ(failed.outcome, failed_before.outcome);
}

// Its archive takes longer than the follower takes to see the run's end.
TEST_F(History, OfALongRunIsArchivedWhenItsCommandReturns) {
  const std::string job = R"yml(
command: |
  awk 'BEGIN { for (i = 0; i < 200000; ++i)
    printf "{\"v\":1,\"rank\":0,\"seq\":%d,\"step\":%d,\"coll\":0,\"t\":%d,\"metrics\":{\"loss\":0.5}}\n", i, i, 1764000000000 + i
  }' >> $LOCKSTEP_RUN_DIR/metrics/rank-0.jsonl
)yml";
  ASSERT_EQ(sandbox.run(job, {"--name", "long", "--quiet"}).exit_code, 0);
  const RunFolder folder = sandbox.run_folder("long");
  EXPECT_TRUE(fs::exists(folder.history_file()));
  EXPECT_TRUE(FileLock::try_take(folder.owner_lock()));
}

// Neither how it ended is known, nor does anybody own it.
TEST_F(History, OfARunThatWasAbandonedIsClosedWhenItIsRebuilt) {
  ASSERT_EQ(sandbox.run(logging_job, {"--name", "logging"}).exit_code, 0);
  fs::remove(sandbox.run_folder("logging").history_file());
  fs::remove(sandbox.run_folder("logging").state_file());
  lose_the_store();
  EXPECT_EQ(rebuild()["runs_added"], 1);
  const history::Run run = store()->get_run("logging");
  EXPECT_EQ(run.state, history::RunState::failed);
  EXPECT_THAT(run.outcome.reason, HasSubstr("supervisor and keeper were killed while the run was Running"));
  EXPECT_EQ(store()->metric_history("logging", "loss").size(), 2U);
  EXPECT_TRUE(fs::exists(sandbox.run_folder("logging").history_file()));
  lose_the_store();
  EXPECT_EQ(rebuild()["from_archives"], 1);
  EXPECT_EQ(store()->get_run("logging").outcome, run.outcome);
}

TEST_F(History, OfARunThatIsOnIsLeftAlone) {
  const std::string name = sandbox.create(sandbox.waiting_job());
  ASSERT_TRUE(sandbox.wait_for_status(name, "Running"));
  fs::create_directory(sandbox.folder() / "other");  // the same folders, and another store
  fs::create_directory_symlink(sandbox.folder() / ".lockstep" / "runs", sandbox.folder() / "other" / "runs");
  const std::string workspace = sandbox.environment["LOCKSTEP_WORKSPACE"];
  sandbox.environment["LOCKSTEP_WORKSPACE"] = (sandbox.folder() / "other").string();
  const auto json = rebuild();
  sandbox.environment["LOCKSTEP_WORKSPACE"] = workspace;
  EXPECT_EQ(json["runs_added"], 0);
  EXPECT_EQ(json["live"], 1);
  sandbox.let_one_go();
  EXPECT_TRUE(sandbox.wait_for_end(name));
}

TEST_F(History, ImportKilledAnywhereLeavesWholeRuns) {
  std::ofstream archive(sandbox.folder() / "a.jsonl");
  archive << R"({"lockstep_history":1,"exported_ms":1})"
             "\n"
             R"({"experiment":{"experiment_id":"7","name":"e"}})"
             "\n";
  for (const char* run : {"a", "b", "c"}) {
    archive << R"({"run":{"run_id":")" << run
            << R"(","experiment_id":"7","state":"Completed","reported":true}})"
               "\n";
    for (const char* key : {"k", "l"}) {
      archive << R"({"series":{"run_id":")" << run << R"(","key":")" << key
              << R"(","steps":[1,2],"timestamps":[1,2],"values":[1,2]}})"
                 "\n";
    }
  }
  archive << R"({"end":{"experiments":1,"runs":3,"points":12,"models":0}})"
             "\n";
  archive.close();
  const std::vector<std::string> import = {"history", "import", "a.jsonl"};
  for (const char* fault : {"import.after_piece:1", "import.after_piece:4", "import.after_run:2",
                            "store-before-commit:3", "store-after-commit:3"}) {
    SCOPED_TRACE(fault);
    sandbox.environment["LOCKSTEP_FAULT"] = fault;
    EXPECT_EQ(sandbox.lockstep(import).exit_code, 128 + 9);
    sandbox.environment.erase("LOCKSTEP_FAULT");
    {
      const auto here = store();
      for (const auto& run : here->list_runs({}).runs) {
        EXPECT_EQ(here->metric_history(run.run_id, "k").size(), 2U);
        EXPECT_EQ(here->metric_history(run.run_id, "l").size(), 2U);
      }
    }
    EXPECT_EQ(sandbox.lockstep(import).exit_code, 0);
    EXPECT_EQ(store()->list_runs({}).runs.size(), 3U);
    lose_the_store();
  }
}

// One small run, and one whose values take a while.
void write_long_archive(const fs::path& file) {
  constexpr int pieces = 100;
  constexpr int points = 10'000;
  std::string numbers = "1";
  for (int i = 1; i < points; ++i) numbers += ",1";
  std::ofstream archive(file);
  archive << R"({"lockstep_history":1}
{"experiment":{"experiment_id":"7","name":"e"}}
{"run":{"run_id":"small","experiment_id":"7","state":"Completed","reported":true}}
{"run":{"run_id":"long","experiment_id":"7","state":"Completed","reported":true}}
)";
  for (int i = 0; i < pieces; ++i) {
    archive << R"({"series":{"run_id":"long","key":"k","steps":[)" << numbers << R"(],"timestamps":[)" << numbers
            << R"(],"values":[)" << numbers << "]}}\n";
  }
  archive << R"({"end":{"experiments":1,"runs":2,"points":)" << pieces * points << "}}\n";
}

TEST_F(History, ImportShowsHowFarItIsAndIsEndedByCtrlC) {
  write_long_archive(sandbox.folder() / "a.jsonl");
  TerminalSession session(sandbox, {"history", "import", "a.jsonl"});
  ASSERT_TRUE(session.wait_for("1 run  "));
  session.type("\x03");
  EXPECT_EQ(session.wait(), 130);
  EXPECT_THAT(session.screen(), HasSubstr("Until then 1 run came in, whole; the same command goes on from there"));
  EXPECT_EQ(store()->get_run("small").state, history::RunState::completed);
  EXPECT_EQ(store()->list_runs({}).runs.size(), 1U);
  EXPECT_EQ(sandbox.lockstep({"history", "import", "a.jsonl"}).exit_code, 0);
  EXPECT_EQ(store()->metric_history("long", "k").size(), 1'000'000U);
}

TEST_F(History, ExportThatIsEndedByCtrlCLeavesNoFile) {
  write_long_archive(sandbox.folder() / "a.jsonl");
  ASSERT_EQ(sandbox.lockstep({"history", "import", "a.jsonl"}).exit_code, 0);
  TerminalSession session(sandbox, {"history", "export", "-o", "out/b.jsonl.gz"});
  EXPECT_EQ(session.wait(), 1);  // no such folder
  TerminalSession again(sandbox, {"history", "export", "-o", "b.jsonl.gz"});
  ASSERT_TRUE(again.wait_for(" points"));
  again.type("\x03");
  EXPECT_EQ(again.wait(), 130);
  for (const auto& each : fs::directory_iterator(sandbox.folder())) {
    EXPECT_FALSE(each.path().filename().string().starts_with("b.jsonl")) << each.path();
  }
}

TEST_F(History, SaysWhatIsWrongWithASource) {
  EXPECT_EQ(sandbox.lockstep({"history", "export", "-o", "x"}).exit_code, 3);  // there is no workspace
  EXPECT_EQ(sandbox.lockstep({"history", "rebuild"}).exit_code, 3);
  EXPECT_EQ(sandbox.lockstep({"history", "import", "nothing"}).exit_code, 3);
  EXPECT_FALSE(fs::exists(sandbox.folder() / ".lockstep"));
  sandbox.write("a.txt", "hello\n");
  const Answer text = sandbox.lockstep({"history", "import", "a.txt"});
  EXPECT_EQ(text.exit_code, 2);
  EXPECT_THAT(text.err, HasSubstr("a.txt is no archive of a history: a.txt:1: no JSON"));
  EXPECT_THAT(sandbox.lockstep({"history", "import", "http://there:5000"}).err, HasSubstr("read from files"));
}

TEST_F(History, GoesFromOneWorkspaceToAnother) {
  ASSERT_EQ(sandbox.run(logging_job, {"--name", "logging"}).exit_code, 0);
  sandbox.lockstep({"history", "export", "logging", "-o", "one.jsonl.gz"});
  const auto before = exported();
  sandbox.environment["LOCKSTEP_WORKSPACE"] = (sandbox.folder() / "other").string();
  EXPECT_EQ(sandbox.lockstep({"history", "import", "one.jsonl.gz"}).exit_code, 0);
  EXPECT_EQ(exported(), before);
  sandbox.environment["LOCKSTEP_WORKSPACE"] = (sandbox.folder() / ".lockstep").string();
}

}  // namespace
}  // namespace lockstep::testing
