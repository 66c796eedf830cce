// `lockstep job` and `lockstep experiment`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/sandbox.hpp"

namespace lockstep::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

TEST(JobCreate, GivesTheNameAtOnceAndTheRunGoesOn) {
  Sandbox sandbox;
  const std::string name = sandbox.create(sandbox.waiting_job());
  EXPECT_THAT(name, MatchesRegex("[a-z]+_[a-z]+_[0-9a-z]+"));
  EXPECT_TRUE(sandbox.wait_for_log(name, "ready"));
  EXPECT_TRUE(sandbox.wait_for_status(name, "Running"));
  sandbox.let_one_go();
  EXPECT_TRUE(sandbox.wait_for_status(name, "Completed"));
  EXPECT_EQ(sandbox.log_of(name), "ready\ndone\n");
}

TEST(JobCreate, StreamsToTheEndWithTheRunsExitCode) {
  Sandbox sandbox;
  sandbox.write("good.yml", "command: echo fine\n");
  sandbox.write("bad.yml", "command: exit 4\n");
  const Answer good = sandbox.lockstep({"job", "create", "-f", "good.yml", "--stream"});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_THAT(good.out, AllOf(HasSubstr("fine\n"), HasSubstr("Execution Summary")));
  const Answer bad = sandbox.lockstep({"job", "create", "-f", "bad.yml", "-s", "--query", "status", "-o", "tsv"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_EQ(bad.out, "Failed\n");
}

TEST(JobCreate, SavesTheResolvedJob) {
  Sandbox sandbox;
  sandbox.write("job.yml", "command: echo ${{inputs.lr}}\ninputs: {lr: 0.1}\n");
  EXPECT_EQ(sandbox.lockstep({"job", "create", "-f", "job.yml", "--set", "inputs.lr=0.2", "--save-as", "saved.yml"})
                .exit_code,
            0);
  EXPECT_THAT(sandbox.lockstep({"run", "saved.yml", "-q", "--name", "again"}).out, "0.2\n");
}

TEST(JobCreate, RefusesABadQueryBeforeItSubmits) {
  Sandbox sandbox;
  sandbox.write("job.yml", "command: echo hi\n");
  EXPECT_EQ(sandbox.lockstep({"job", "create", "-f", "job.yml", "--query", "name["}).exit_code, 2);
  EXPECT_FALSE(fs::exists(sandbox.folder() / ".lockstep"));
}

// A run whose metrics were written by its rank's journal: 40 losses, and one value of its own.
std::string measured_run(Sandbox& sandbox) {
  const Answer answer = sandbox.run(
      "command: |\n"
      "  for i in $(seq 0 39); do\n"
      "    echo "
      "'{\"v\":1,\"rank\":0,\"seq\":'$i',\"step\":'$i',\"coll\":0,\"t\":1764000000000,\"metrics\":{\"loss\":'$((40-i))'"
      "}}'\n"
      "  done > $LOCKSTEP_RUN_DIR/metrics/rank-0.jsonl\n",
      {"--name", "measured"});
  EXPECT_EQ(answer.exit_code, 0) << answer.both();
  return "measured";
}

TEST(Metrics, AreShownAsLatestValuesAsACourseAndAsADrawing) {
  Sandbox sandbox;
  const std::string run = measured_run(sandbox);
  EXPECT_THAT(sandbox.lockstep({"metrics", run}).out, AllOf(HasSubstr("METRIC"), HasSubstr("loss"), HasSubstr("39")));
  const auto points = nlohmann::json::parse(sandbox.lockstep({"metrics", run, "loss", "-o", "json"}).out);
  ASSERT_EQ(points.size(), 40U);
  EXPECT_EQ(points[3]["step"], 3);
  EXPECT_EQ(points[3]["value"], 37);
  EXPECT_EQ(sandbox.lockstep({"metrics", run, "--query", "[0].value", "-o", "tsv"}).out, "1.0\n");
  const std::string drawn = sandbox.lockstep({"metrics", run, "loss", "--plot"}).out;
  EXPECT_THAT(drawn, AllOf(HasSubstr("loss\n"), HasSubstr("40 "), HasSubstr("step 39")));
}

TEST(Metrics, ThatAreNotThereAreNamedWithWhatIsNear) {
  Sandbox sandbox;
  const std::string run = measured_run(sandbox);
  const Answer answer = sandbox.lockstep({"metrics", run, "los"});
  EXPECT_EQ(answer.exit_code, 3);
  EXPECT_THAT(answer.err, HasSubstr("no metric 'los'; did you mean 'loss'?"));
  EXPECT_EQ(sandbox.lockstep({"metrics", run, "--plot"}).exit_code, 2);
  EXPECT_EQ(sandbox.lockstep({"metrics", "nobody"}).exit_code, 3);
}

TEST(JobCancel, EndsARunningRun) {
  Sandbox sandbox;
  const std::string name = sandbox.create("command: echo ready; exec sleep 600\n", {"--stop-grace", "2"});
  ASSERT_TRUE(sandbox.wait_for_log(name, "ready"));
  EXPECT_EQ(sandbox.lockstep({"job", "cancel", "-n", name}).exit_code, 0);
  EXPECT_TRUE(sandbox.wait_for_status(name, "Canceled"));
  EXPECT_THAT(sandbox.show(name)["reason"].get<std::string>(), HasSubstr("lockstep job cancel"));
  const Answer again = sandbox.lockstep({"job", "cancel", name});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("has ended before: Canceled"));
  EXPECT_EQ(sandbox.lockstep({"job", "stream", name, "-q"}).exit_code, 1);
}

TEST(JobStream, ShowsAFinishedRunAgain) {
  Sandbox sandbox;
  EXPECT_EQ(sandbox.run("command: echo hello\n", {"--name", "done"}).exit_code, 0);
  const Answer answer = sandbox.lockstep({"job", "stream", "done"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_THAT(answer.out, AllOf(HasSubstr("hello\n"), HasSubstr("Status:     Completed")));
}

TEST(JobStream, FollowsARunThatRuns) {
  Sandbox sandbox;
  const std::string name = sandbox.create(sandbox.waiting_job());
  TerminalSession terminal(sandbox, {"job", "stream", name});
  EXPECT_TRUE(terminal.wait_for("ready"));
  sandbox.let_one_go();
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_THAT(terminal.screen(), AllOf(HasSubstr("done\r\n"), HasSubstr("Execution Summary")));
}

TEST(JobStream, DetachesAtCtrlCAndLeavesTheRun) {
  Sandbox sandbox;
  const std::string name = sandbox.create(sandbox.waiting_job());
  TerminalSession terminal(sandbox, {"job", "stream", name});
  ASSERT_TRUE(terminal.wait_for("ready"));
  terminal.type("\x03");
  EXPECT_EQ(terminal.wait(), 130);
  EXPECT_THAT(terminal.screen(), HasSubstr("goes on in the background"));
  EXPECT_TRUE(sandbox.wait_for_status(name, "Running"));
  sandbox.let_one_go();
  EXPECT_TRUE(sandbox.wait_for_status(name, "Completed"));
}

TEST(JobQueue, StartsRunsInTheOrderTheyCame) {
  Sandbox sandbox;
  sandbox.environment["LOCKSTEP_SLOTS"] = "1";
  const std::string first = sandbox.create(sandbox.waiting_job(), {"--name", "first"});
  ASSERT_TRUE(sandbox.wait_for_log(first, "ready"));
  std::vector<std::string> names;
  for (const char* name : {"second", "third", "fourth"}) {
    names.push_back(sandbox.create("command: echo hi\n", {"--name", name}));
    ASSERT_TRUE(sandbox.wait_for_status(names.back(), "Queued"));
  }
  TerminalSession terminal(sandbox, {"job", "stream", "third"}, 160);
  EXPECT_TRUE(terminal.wait_for("1 run waits before it")) << terminal.screen();
  EXPECT_THAT(terminal.screen(), HasSubstr("1 of 1 are taken by first (1 slot)"));
  sandbox.let_one_go();
  std::string last = "";
  for (const auto& name : names) {
    ASSERT_TRUE(sandbox.wait_for_status(name, "Completed"));
    const std::string started = sandbox.show(name)["start_time"];
    EXPECT_GT(started, last);
    last = started;
  }
  EXPECT_EQ(terminal.wait(), 0);
}

TEST(JobQueue, CancelsARunThatWaits) {
  Sandbox sandbox;
  sandbox.environment["LOCKSTEP_SLOTS"] = "1";
  const std::string first = sandbox.create(sandbox.waiting_job(), {"--name", "first"});
  ASSERT_TRUE(sandbox.wait_for_log(first, "ready"));
  const std::string second = sandbox.create("command: echo hi\n", {"--name", "second"});
  ASSERT_TRUE(sandbox.wait_for_status(second, "Queued"));
  EXPECT_EQ(sandbox.lockstep({"job", "cancel", second}).exit_code, 0);
  EXPECT_TRUE(sandbox.wait_for_status(second, "Canceled"));
  EXPECT_TRUE(sandbox.wait_for_status(first, "Running"));
  sandbox.let_one_go();
  EXPECT_TRUE(sandbox.wait_for_status(first, "Completed"));
  EXPECT_EQ(sandbox.log_of(second), "");
}

TEST(JobList, HidesArchivedRunsUntilTheyAreRestored) {
  Sandbox sandbox;
  for (const char* name : {"one", "two"}) EXPECT_EQ(sandbox.run("command: echo hi\n", {"--name", name}).exit_code, 0);
  EXPECT_EQ(sandbox.lockstep({"job", "list", "--query", "[].name", "-o", "tsv"}).out, "two\none\n");
  EXPECT_EQ(sandbox.lockstep({"job", "archive", "-n", "one"}).exit_code, 0);
  EXPECT_EQ(sandbox.lockstep({"job", "list", "--query", "[].name", "-o", "tsv"}).out, "two\n");
  EXPECT_EQ(sandbox.lockstep({"job", "list", "--archived-only", "--query", "[].name", "-o", "tsv"}).out, "one\n");
  EXPECT_EQ(sandbox.lockstep({"job", "list", "--include-archived", "--query", "[].name", "-o", "tsv"}).out,
            "two\none\n");
  EXPECT_EQ(sandbox.lockstep({"job", "restore", "one"}).exit_code, 0);
  EXPECT_EQ(sandbox.lockstep({"job", "list", "--query", "[].name", "-o", "tsv"}).out, "two\none\n");
  const Answer limited = sandbox.lockstep({"job", "list", "--max-results", "1"});
  EXPECT_THAT(limited.out, AllOf(HasSubstr("two"), Not(HasSubstr("one"))));
  EXPECT_THAT(limited.err, HasSubstr("--max-results"));
}

TEST(JobList, SelectsByExperiment) {
  Sandbox sandbox;
  EXPECT_EQ(sandbox.run("command: echo hi\nexperiment_name: mnist\n", {"--name", "a"}).exit_code, 0);
  EXPECT_EQ(sandbox.run("command: 'false'\nexperiment_name: mnist\n", {"--name", "b"}).exit_code, 1);
  EXPECT_EQ(sandbox.run("command: echo hi\n", {"--name", "c"}).exit_code, 0);
  EXPECT_EQ(sandbox.lockstep({"job", "list", "--experiment-name", "mnist", "--query", "[].name", "-o", "tsv"}).out,
            "b\na\n");
  EXPECT_EQ(sandbox.show("c")["experiment_name"], sandbox.folder().filename().string());
  const Answer unknown = sandbox.lockstep({"job", "list", "--experiment-name", "minst"});
  EXPECT_EQ(unknown.exit_code, 3);

  const Answer shown = sandbox.lockstep({"experiment", "show", "mnist", "-o", "json"});
  EXPECT_EQ(nlohmann::json::parse(shown.out)["jobs"], nlohmann::json::parse(R"({"Failed": 1, "Completed": 1})"));
  EXPECT_THAT(sandbox.lockstep({"experiment", "list"}).out, HasSubstr("mnist"));
  EXPECT_EQ(sandbox.lockstep({"experiment", "show", "nope"}).exit_code, 3);
}

TEST(JobShow, HasEverythingUnderAzureMlsKeys) {
  Sandbox sandbox;
  EXPECT_EQ(sandbox
                .run("command: echo hi\ntags: {team: vision}\nexperiment_name: mnist\ndisplay_name: my try\n",
                     {"--name", "shown"})
                .exit_code,
            0);
  const auto job = sandbox.show("shown");
  EXPECT_EQ(job["name"], "shown");
  EXPECT_EQ(job["display_name"], "my try");
  EXPECT_EQ(job["experiment_name"], "mnist");
  EXPECT_EQ(job["status"], "Completed");
  EXPECT_EQ(job["type"], "command");
  EXPECT_EQ(job["compute"], "local");
  EXPECT_EQ(job["tags"]["team"], "vision");
  EXPECT_FALSE(job["tags"].contains("mlflow.runName") || job["tags"].contains("mlflow.user"));  // they stand above
  EXPECT_EQ(job["exit_code"], 0);
  EXPECT_EQ(job["run_folder"], sandbox.run_folder("shown").root().string());
  EXPECT_FALSE(job["creation_context"]["created_at"].get<std::string>().empty());
  EXPECT_EQ(sandbox.lockstep({"job", "show", "-n", "shown", "--query", "status", "-o", "tsv"}).out, "Completed\n");
  EXPECT_EQ(sandbox.lockstep({"job", "show", "shown", "-o", "none"}).out, "");
  const Answer wrong = sandbox.lockstep({"job", "show", "shonw"});
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_THAT(wrong.err, HasSubstr("shown"));
}

TEST(JobShow, TellsWhyARunFailedWithItsLastLinesAndWhatToTry) {
  Sandbox sandbox;
  EXPECT_EQ(
      sandbox.run("command: echo before; python3 -c 'import nothing_of_that_name'\n", {"--name", "broken"}).exit_code,
      1);
  const auto job = sandbox.show("broken");
  const auto& failure = job["failure_details"];
  EXPECT_EQ(failure["last_lines"].front(), "before");
  EXPECT_THAT(failure["last_lines"].back().get<std::string>(), HasSubstr("No module named 'nothing_of_that_name'"));
  EXPECT_EQ(failure["log"], sandbox.run_folder("broken").rank_log(0).string());
  EXPECT_THAT(failure["hint"].get<std::string>(), HasSubstr("nothing_of_that_name"));
  EXPECT_EQ(sandbox.run("command: 'true'\n", {"--name", "well"}).exit_code, 0);
  EXPECT_TRUE(sandbox.show("well")["failure_details"].is_null());
}

TEST(JobArtifacts, ListsTheRunsOutputs) {
  Sandbox sandbox;
  const std::string job =
      "command: mkdir -p outputs/model/deep && echo 12345 > outputs/model/deep/w && echo 1 > outputs/a\n";
  EXPECT_EQ(sandbox.run(job, {"--name", "made"}).exit_code, 0);
  const auto json = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"job", "artifacts", "made", "-o", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return nlohmann::json::parse(sandbox.lockstep(arguments).out);
  };
  const auto top = nlohmann::json::parse(
      R"([{"path":"a","is_dir":false,"file_size":2},{"path":"model","is_dir":true,"file_size":null}])");
  EXPECT_EQ(json({}), top);
  EXPECT_EQ(sandbox.show("made")["artifacts"], top);
  EXPECT_EQ(json({"--path", "model/deep"})[0]["path"], "model/deep/w");
  EXPECT_EQ(json({"--recursive"}).size(), 2U);
  EXPECT_EQ(sandbox.lockstep({"job", "artifacts", "made", "--path", "../logs"}).exit_code, 2);
  EXPECT_EQ(sandbox.lockstep({"job", "artifacts", "made", "--path", "nothing"}).exit_code, 3);
}

TEST(Job, SaysThatThereIsNoWorkspaceAndMakesNone) {
  Sandbox sandbox;
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"job", "list"}, {"job", "show", "x"}, {"experiment", "list"}}) {
    EXPECT_EQ(sandbox.lockstep(words).exit_code, 3);
  }
  EXPECT_FALSE(fs::exists(sandbox.folder() / ".lockstep"));
}

TEST(JobValidate, ChecksAndCreatesNothing) {
  Sandbox sandbox;
  sandbox.write("good.yml", "command: echo hi\ndistribution: {type: mpi, process_count_per_instance: 2}\n");
  sandbox.write("bad.yml", "comand: echo hi\n");
  const Answer good = sandbox.lockstep({"job", "validate", "-f", "good.yml"});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(good.out, "good.yml: valid: 2 ranks on 1 node\n");
  const Answer bad = sandbox.lockstep({"job", "validate", "--file", "bad.yml"});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.err, HasSubstr("bad.yml:1:1: unknown key 'comand'; did you mean 'command'?"));
  EXPECT_FALSE(fs::exists(sandbox.folder() / ".lockstep"));
}

TEST(Completion, OffersTheRunsOfThisFolderInBash) {
  Sandbox sandbox;
  EXPECT_EQ(sandbox.run("command: echo hi\n", {"--name", "brave_run"}).exit_code, 0);
  const std::string script =
      "source <(lockstep completion bash); COMP_WORDS=(lockstep job show br); COMP_CWORD=3; _lockstep; echo "
      "\"${COMPREPLY[@]}\"";
  ProgramSpec bash = sandbox.program({});
  bash.environment["PATH"] = fs::path(bash.argv[0]).parent_path().string() + ":" + bash.environment["PATH"];
  bash.argv = {"bash", "-c", script};
  EXPECT_EQ(run_program(bash).output, "brave_run\n");
}

}  // namespace
}  // namespace lockstep::testing
