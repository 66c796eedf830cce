// `lockstep run`, as a user meets it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "tests/e2e/sandbox.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Run, ShowsWhatTheCommandPrintsAndHowItEnded) {
  Sandbox sandbox;
  const Answer answer = sandbox.run("command: echo hello; echo world >&2\n", {"--name", "first"});
  EXPECT_EQ(answer.exit_code, 0) << answer.both();
  EXPECT_THAT(answer.out,
              AllOf(StartsWith("RunId: first\n"), HasSubstr("hello\nworld\n"), HasSubstr("Execution Summary"),
                    HasSubstr("Status:     Completed\n"), HasSubstr(sandbox.run_folder("first").root())));
  EXPECT_EQ(answer.err, "");
  EXPECT_EQ(sandbox.log_of("first"), "hello\nworld\n");
}

TEST(Run, QuietShowsTheRanksBytesAndNothingElse) {
  Sandbox sandbox;
  const Answer answer = sandbox.run("command: printf 'a\\0b\\377\\r\\n  no newline'\n", {"--quiet"});
  EXPECT_EQ(answer.exit_code, 0) << answer.both();
  EXPECT_EQ(answer.out, std::string("a\0b\377\r\n  no newline", 18));
  EXPECT_EQ(answer.err, "");
}

TEST(Run, RunsInAFolderThatHoldsNothingYet) {
  Sandbox sandbox;
  sandbox.environment.erase("LOCKSTEP_WORKSPACE");
  EXPECT_EQ(sandbox.run("command: echo hi\n").exit_code, 0);
  EXPECT_TRUE(fs::exists(sandbox.folder() / ".lockstep" / "history.db"));
  EXPECT_EQ(read_file(sandbox.folder() / ".lockstep" / ".gitignore"), "*\n");
}

TEST(Run, ExitsWithOneWhenTheCommandFails) {
  Sandbox sandbox;
  const Answer answer = sandbox.run("command: echo oh; exit 7\n", {"--name", "failing"});
  EXPECT_EQ(answer.exit_code, 1);
  EXPECT_THAT(answer.out, HasSubstr("Status:       Failed\n"));
  const auto job = sandbox.show("failing");
  EXPECT_EQ(job["status"], "Failed");
  EXPECT_EQ(job["exit_code"], 7);
}

TEST(Run, PrintsEveryMistakeOfABadFileAndCreatesNothing) {
  Sandbox sandbox;
  const Answer answer = sandbox.run("command: echo ${{inputs.nope}}\nnmae: x\ndistribution: {type: mpii}\n");
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.err,
              AllOf(HasSubstr("job-0.yml:1:"), HasSubstr("job-0.yml:2:1: unknown key 'nmae'; did you mean 'name'?"),
                    HasSubstr("job-0.yml:3:22: "), HasSubstr("3 mistakes; nothing was created")));
  EXPECT_EQ(answer.out, "");
  EXPECT_FALSE(fs::exists(sandbox.folder() / ".lockstep"));
}

TEST(Run, RefusesAnInputThatIsNotThereBeforeAnythingIsCreated) {
  Sandbox sandbox;
  const Answer answer =
      sandbox.run("command: cat ${{inputs.data}}\ninputs: {data: {type: uri_file, path: ./missing.csv}}\n");
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.err, HasSubstr("missing.csv"));
  EXPECT_FALSE(fs::exists(sandbox.folder() / ".lockstep"));
}

TEST(Run, ExitsWithThreeForAFileThatIsNotThere) {
  Sandbox sandbox;
  const Answer answer = sandbox.lockstep({"run", "nowhere.yml"});
  EXPECT_EQ(answer.exit_code, 3);
  EXPECT_THAT(answer.err, HasSubstr("nowhere.yml"));
}

TEST(Run, ExitsWithTwoForAWordItDoesNotKnow) {
  Sandbox sandbox;
  sandbox.write("job.yml", "command: echo hi\n");
  const Answer option = sandbox.lockstep({"run", "job.yml", "--qiet"});
  EXPECT_EQ(option.exit_code, 2);
  EXPECT_THAT(option.err, HasSubstr("unknown option '--qiet'; did you mean '--quiet'?"));
  const Answer command = sandbox.lockstep({"jbo", "list"});
  EXPECT_EQ(command.exit_code, 2);
  EXPECT_THAT(command.err, HasSubstr("unknown command 'lockstep jbo'; did you mean 'job'?"));
  EXPECT_EQ(sandbox.lockstep({"job"}).exit_code, 2);
  EXPECT_EQ(sandbox.lockstep({"run"}).exit_code, 2);
  EXPECT_EQ(sandbox.lockstep({"job", "list", "--query", "[?x]"}).exit_code, 2);
  EXPECT_FALSE(fs::exists(sandbox.folder() / ".lockstep"));
}

TEST(Run, SaysWhyWhenTheWorkspaceCannotBeMade) {
  Sandbox sandbox;
  sandbox.environment["LOCKSTEP_WORKSPACE"] = "/proc/lockstep";  // not even root may
  const Answer answer = sandbox.run("command: echo hi\n");
  EXPECT_EQ(answer.exit_code, 1);
  EXPECT_THAT(answer.err, HasSubstr("/proc/lockstep"));
  EXPECT_THAT(answer.out, Not(HasSubstr("hi")));
}

TEST(Run, NamesTheRankOfEachLineWhenThereAreSeveral) {
  Sandbox sandbox;
  const Answer answer = sandbox.run(
      "command: echo rank $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE\n"
      "distribution: {type: mpi, process_count_per_instance: 2}\n",
      {"--name", "two"});
  EXPECT_EQ(answer.exit_code, 0) << answer.both();
  EXPECT_THAT(answer.out, AllOf(HasSubstr("[0] rank 0 of 2\n"), HasSubstr("[1] rank 1 of 2\n")));
  EXPECT_EQ(sandbox.log_of("two", 1), "rank 1 of 2\n");

  const Answer one = sandbox.lockstep({"job", "stream", "two", "--rank", "1", "-q"});
  EXPECT_EQ(one.exit_code, 0);
  EXPECT_EQ(one.out, "rank 1 of 2\n");
  EXPECT_EQ(sandbox.lockstep({"job", "stream", "two", "--rank", "2"}).exit_code, 2);
}

TEST(Run, NamesTheRankThatFailedFirst) {
  Sandbox sandbox;
  const Answer answer = sandbox.run(
      "command: |\n"
      "  echo step one\n"
      "  if [ $OMPI_COMM_WORLD_RANK = 1 ]; then echo cannot go on; exit 3; fi\n"
      "  exec sleep 600\n"
      "distribution: {type: mpi, process_count_per_instance: 2}\n",
      {"--name", "first-failure"});
  EXPECT_EQ(answer.exit_code, 1);
  EXPECT_THAT(answer.out, AllOf(HasSubstr("The last lines of rank 1"), HasSubstr("  | cannot go on\n"),
                                HasSubstr("Failed first: rank 1\n"), HasSubstr("--rank 1")));
  const auto job = sandbox.show("first-failure");
  EXPECT_EQ(job["first_failed_rank"], 1);
  EXPECT_EQ(job["exit_code"], 3);
  EXPECT_THAT(job["reason"].get<std::string>(), HasSubstr("rank 1"));
}

TEST(Run, HintsAtTheProgramThatWasMeant) {
  Sandbox sandbox;
  const Answer answer = sandbox.run("command: bsah -c 'echo hi'\n");
  EXPECT_EQ(answer.exit_code, 1);
  EXPECT_THAT(answer.out, AllOf(HasSubstr("bsah"), HasSubstr("did you mean 'bash'")));
}

TEST(Run, DoesWhatItsDryRunPrints) {
  Sandbox sandbox;
  sandbox.write("code/train.sh", "echo $1\n");
  sandbox.write("data.csv", "1\n");
  sandbox.write("job.yml",
                "name: planned\n"
                "code: code\n"
                "command: bash train.sh ${{inputs.lr}} ${{inputs.data}} ${{outputs.model}}\n"
                "inputs: {lr: 0.1, data: {type: uri_file, path: data.csv}}\n"
                "outputs: {model: {type: uri_folder}}\n"
                "environment_variables: {PLAIN: visible, API_TOKEN: hidden-value}\n"
                "distribution: {type: mpi, process_count_per_instance: 2}\n");
  const Answer dry = sandbox.lockstep({"run", "job.yml", "--dry-run", "-o", "json", "--set", "inputs.lr=0.5"});
  ASSERT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_FALSE(fs::exists(sandbox.folder() / ".lockstep"));
  const auto planned = nlohmann::json::parse(dry.out);
  EXPECT_EQ(sandbox.lockstep({"run", "job.yml", "--set", "inputs.lr=0.5"}).exit_code, 0);
  auto done = nlohmann::json::parse(read_file(sandbox.run_folder("planned").plan_file()));
  done["display_name"] = planned["display_name"];  // generated anew for each
  EXPECT_EQ(planned, done);
  EXPECT_THAT(planned["command"].get<std::string>(), HasSubstr("train.sh 0.5 "));

  const Answer text = sandbox.lockstep({"run", "job.yml", "--dry-run"});
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("2 ranks on 1 node"), HasSubstr("PLAIN=visible"), Not(HasSubstr("hidden-value"))));
}

TEST(Run, ShowsASecretNowhere) {
  Sandbox sandbox;
  const std::string secret = "s3cr3t-of-the-test";
  sandbox.write("job.yml",
                "name: careful\n"
                "command: test ${#DB_PASSWORD} = 18 && echo it came || echo it did not\n"
                "environment_variables: {DB_PASSWORD: s3cr3t-of-the-test}\n");
  std::string seen = sandbox.lockstep({"run", "job.yml", "--dry-run"}).both();
  seen += sandbox.lockstep({"run", "job.yml", "--dry-run", "-o", "json"}).both();
  seen += sandbox.lockstep({"run", "job.yml", "--dry-run", "-o", "yaml"}).both();
  const Answer run = sandbox.lockstep({"run", "job.yml"});
  EXPECT_THAT(run.out, HasSubstr("it came\n"));
  seen += run.both();
  for (const char* format : {"table", "json", "yaml", "tsv"}) {
    seen += sandbox.lockstep({"job", "show", "careful", "-o", format}).both();
    seen += sandbox.lockstep({"job", "list", "-o", format}).both();
  }
  seen += sandbox.lockstep({"job", "stream", "careful"}).both();
  for (const auto& entry : fs::recursive_directory_iterator(sandbox.folder() / ".lockstep")) {
    if (entry.is_regular_file()) seen += read_file(entry.path());
  }
  EXPECT_THAT(seen, Not(HasSubstr(secret)));
}

TEST(Run, GivesInputsAndKeepsOutputs) {
  Sandbox sandbox;
  sandbox.write("data/words.txt", "one two\n");
  const Answer answer = sandbox.run(
      "name: io\n"
      "command: >-\n"
      "  wc -w < ${{inputs.data}}/words.txt > ${{outputs.counts}}/count.txt && mkdir -p outputs &&\n"
      "  echo ${{inputs.label}} > outputs/label.txt && mkdir -p $LOCKSTEP_RUN_DIR/tensorboard &&\n"
      "  echo events > $LOCKSTEP_RUN_DIR/tensorboard/events\n"
      "inputs: {data: {type: uri_folder, path: data}, label: ship it}\n"
      "outputs: {counts: {type: uri_folder}}\n");
  ASSERT_EQ(answer.exit_code, 0) << answer.both();
  EXPECT_EQ(read_file(sandbox.run_folder("io").output("counts") / "count.txt"), "2\n");
  EXPECT_EQ(read_file(sandbox.run_folder("io").outputs() / "label.txt"), "ship it\n");
  EXPECT_THAT(answer.out, HasSubstr("lockstep job download io"));

  EXPECT_EQ(sandbox.lockstep({"job", "download", "io", "--download-path", "got"}).exit_code, 0);
  EXPECT_EQ(read_file(sandbox.folder() / "got/artifacts/outputs/label.txt"), "ship it\n");
  EXPECT_TRUE(fs::exists(sandbox.folder() / "got/artifacts/logs/rank-0.log"));
  EXPECT_EQ(sandbox.lockstep({"job", "download", "-n", "io", "--output-name", "counts", "-p", "one"}).exit_code, 0);
  EXPECT_EQ(read_file(sandbox.folder() / "one/named-outputs/counts/count.txt"), "2\n");
  EXPECT_FALSE(fs::exists(sandbox.folder() / "one/artifacts"));
  EXPECT_EQ(sandbox.lockstep({"job", "download", "io", "--all", "-p", "all"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(sandbox.folder() / "all/artifacts/job.yml"));
  EXPECT_EQ(read_file(sandbox.folder() / "all/artifacts/tensorboard/events"), "events\n");
  EXPECT_TRUE(fs::exists(sandbox.folder() / "all/named-outputs/counts/count.txt"));
  const Answer wrong = sandbox.lockstep({"job", "download", "io", "--output-name", "cuonts"});
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 'counts'"));
}

TEST(Run, SetsValuesInOneOrSeveralWords) {
  Sandbox sandbox;
  sandbox.write("job.yml", "command: echo ${{inputs.a}} ${{inputs.b}}\ninputs: {a: 1, b: 2}\n");
  EXPECT_THAT(sandbox.lockstep({"run", "job.yml", "-q", "--set", "inputs.a=3", "--set", "inputs.b=4"}).out, "3 4\n");
  EXPECT_THAT(sandbox.lockstep({"run", "job.yml", "-q", "--set", "inputs.a=5", "inputs.b=6"}).out, "5 6\n");
  EXPECT_THAT(sandbox.lockstep({"run", "-q", "--set", "inputs.a=7", "job.yml"}).out, "7 2\n");
  const Answer wrong = sandbox.lockstep({"run", "job.yml", "--set", "inputs.a"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_EQ(sandbox.names().size(), 3U);
}

TEST(Run, RefusesANameThatIsTaken) {
  Sandbox sandbox;
  EXPECT_EQ(sandbox.run("command: echo one\n", {"--name", "mine"}).exit_code, 0);
  const Answer again = sandbox.run("command: echo two\n", {"--name", "mine"});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.err, HasSubstr("mine"));
  EXPECT_EQ(sandbox.names().size(), 1U);
  EXPECT_EQ(sandbox.log_of("mine"), "one\n");
  EXPECT_EQ(sandbox.run("command: echo no\n", {"--name", "../up"}).exit_code, 2);
}

TEST(Run, PrintsTheJobAtTheEndWhenAFormatIsAsked) {
  Sandbox sandbox;
  const Answer answer = sandbox.run("command: echo hi\n", {"--name", "machine", "-o", "json"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(answer.out)["status"], "Completed");
  EXPECT_THAT(answer.err, HasSubstr("hi\n"));
}

TEST(Run, EndsARunAtItsTimeLimit) {
  Sandbox sandbox;
  const Answer answer =
      sandbox.run("command: exec sleep 600\nlimits: {timeout: 1}\n", {"--name", "limited", "--stop-grace", "1"});
  EXPECT_EQ(answer.exit_code, 1);
  EXPECT_EQ(sandbox.status("limited"), "Canceled");
  EXPECT_THAT(answer.out, HasSubstr("1 s"));
}

// A training program's journal, written by hand; what it does then is to be added.
const char* const training =
    "command: |\n"
    "  for step in $(seq 1 40); do\n"
    "    n=$((2 * step - 2)); t=1764000000000\n"
    "    printf '{\"v\":1,\"rank\":0,\"seq\":%d,\"step\":%d,\"coll\":0,\"t\":%d,\"metrics\":{\"train_loss\":%d.5}}\\n' "
    "$n $step $t $((41 - step))\n"
    "    printf '{\"v\":1,\"rank\":0,\"seq\":%d,\"step\":%d,\"coll\":0,\"t\":%d,\"progress\":{\"epoch\":1,\"epochs\":2,"
    "\"step\":%d,\"steps\":80,\"loss\":%d.5,\"samples_per_s\":1234.5,\"seconds_left\":9}}\\n' "
    "$((n + 1)) $step $t $step $((41 - step))\n"
    "  done >> $LOCKSTEP_RUN_DIR/metrics/rank-0.jsonl\n"
    "  ";

TEST(Run, PrintsProgressAsLinesInAPipeAndDrawsTheLossAtTheEnd) {
  Sandbox sandbox;
  const std::string name = sandbox.create(training + sandbox.wait() + "\n", {"--name", "training"});
  ProgramSpec follower = sandbox.program({"job", "stream", name});
  const Fd out = open_file(sandbox.folder() / "followed", O_WRONLY | O_CREAT);
  follower.stdout_fd = out.get();
  const ProcessId process = start_program(follower);
  const auto followed = [&] { return read_file(sandbox.folder() / "followed"); };
  EXPECT_TRUE(wait_until([&] {
    return followed().find("epoch 1/2  step 40/80  loss 1.5000  1,234 samples/s  9 s left\n") != std::string::npos;
  }));
  sandbox.let_one_go();
  EXPECT_TRUE(sandbox.wait_for_end(name));
  EXPECT_TRUE(wait_until([&] { return !is_alive(process); }));
  EXPECT_THAT(followed(), AllOf(HasSubstr("train_loss\n"), HasSubstr("40.5 ┤⠉"), HasSubstr("step 40\n"),
                                HasSubstr("Metrics:    train_loss 1.5\n"), Not(HasSubstr("\x1b"))));
  ::waitpid(process.pid, nullptr, 0);
}

TEST(Run, RedrawsProgressOnATerminal) {
  Sandbox sandbox;
  sandbox.write("job.yml", training + sandbox.wait() + "\n");
  TerminalSession terminal(sandbox, {"run", "job.yml", "--name", "seen"}, 90);
  EXPECT_TRUE(terminal.wait_for(" 50 %  epoch 1/2  step 40/80")) << terminal.screen();
  sandbox.let_one_go();
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_THAT(terminal.screen(),
              AllOf(HasSubstr("\r\x1b[K"), HasSubstr("\x1b[32m████"), HasSubstr("Execution Summary")));
}

TEST(Run, KeepsColoursToThoseWhoWantThem) {
  Sandbox sandbox;
  sandbox.environment["NO_COLOR"] = "1";
  sandbox.write("job.yml", "command: echo hi\n");
  TerminalSession terminal(sandbox, {"run", "job.yml"});
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_THAT(terminal.screen(), AllOf(HasSubstr("hi\r\n"), Not(HasSubstr("\x1b[3"))));
}

TEST(Run, IsCanceledByCtrlCAndFollowedToItsEnd) {
  Sandbox sandbox;
  sandbox.write("job.yml", "command: trap 'echo saving; exit 0' TERM; echo ready; " + sandbox.wait() + "\n");
  TerminalSession terminal(sandbox, {"run", "job.yml", "--name", "stopped", "--stop-grace", "5"});
  ASSERT_TRUE(terminal.wait_for("ready"));
  terminal.type("\x03");
  EXPECT_EQ(terminal.wait(), 130);
  EXPECT_THAT(terminal.screen(), AllOf(HasSubstr("Ctrl-C: canceling stopped"), HasSubstr("Execution Summary")));
  EXPECT_EQ(sandbox.status("stopped"), "Canceled");
  EXPECT_THAT(sandbox.show("stopped")["reason"].get<std::string>(), HasSubstr("Ctrl-C"));
}

TEST(Run, IsLeftToItsSupervisorByASecondCtrlC) {
  Sandbox sandbox;
  sandbox.write("job.yml", "command: trap '' TERM; echo ready; " + sandbox.wait() + "\n");
  TerminalSession terminal(sandbox, {"run", "job.yml", "--name", "deaf", "--stop-grace", "2"});
  ASSERT_TRUE(terminal.wait_for("ready"));
  terminal.type("\x03");
  ASSERT_TRUE(terminal.wait_for("canceling deaf"));
  terminal.type("\x03");
  EXPECT_EQ(terminal.wait(), 130);
  EXPECT_THAT(terminal.screen(), HasSubstr("deaf goes on stopping in the background"));
  EXPECT_TRUE(sandbox.wait_for_status("deaf", "Canceled"));
}

TEST(Run, GoesOnWhenItsTerminalIsClosed) {
  Sandbox sandbox;
  sandbox.write("job.yml", sandbox.waiting_job());
  TerminalSession terminal(sandbox, {"run", "job.yml", "--name", "orphan"});
  ASSERT_TRUE(terminal.wait_for("ready"));
  terminal.close();
  EXPECT_EQ(terminal.wait(), 128 + SIGHUP);
  EXPECT_TRUE(sandbox.wait_for_status("orphan", "Running"));
  sandbox.let_one_go();
  EXPECT_TRUE(sandbox.wait_for_status("orphan", "Completed"));
  EXPECT_EQ(sandbox.log_of("orphan"), "ready\ndone\n");
}

}  // namespace
}  // namespace lockstep::testing
