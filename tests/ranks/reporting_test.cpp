// Trainings without a launcher report to a server that is well, stopped, killed, or not there: what their journals hold
// is in its history, once, and no step waits for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <tuple>

#include "history/sink/journal.hpp"
#include "history/store/store.hpp"
#include "tests/ranks/mpi_run.hpp"
#include "tests/ranks/tracking_server.hpp"
#include "tests/support/idx_files.hpp"

namespace lockstep {

using ::testing::HasSubstr;
using testing::TrackingServerProcess;
using testing::wait_until;

namespace {
// (key, step, time, value), sorted: equal lists mean that nothing is missing and nothing is there twice.
// Beside other tests, and under ThreadSanitizer, a step of the training takes 0.2 s.
template <class Condition>
bool eventually(const Condition& condition) {
  return wait_until(condition, std::chrono::minutes(3));
}

using Points = std::vector<std::tuple<std::string, std::int64_t, std::int64_t, double>>;

// Epochs of a training that goes to its end while its server is away.
#ifdef __SANITIZE_THREAD__
constexpr int long_training = 100;  // each takes some 20 times as long
#else
constexpr int long_training = 400;
#endif

class Reporting : public ::testing::Test {
 protected:
  Reporting() : server_(folder_ / "server") {
    testing::write_synthetic_data(folder_.path(), {.count = 640, .side = 28});
  }

  // A training of 10 steps per epoch in the folder "training", started and left to itself.
  struct Training {
    ProcessId process;
    int status = -1;
    int exit_code() const { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }
  };
  Training start(int epochs, std::vector<std::string> more = {}, Environment extra = {}) {
    fs::create_directories(at());
    std::vector<std::string> argv = {LOCKSTEP_TRAIN,
                                     "--data",
                                     folder_.path(),
                                     "--model",
                                     "mlp",
                                     "--layers",
                                     "512,512",
                                     "--batch-size",
                                     "64",
                                     "--epochs",
                                     std::to_string(epochs),
                                     "--log-every",
                                     "1",
                                     "--tensorboard",
                                     "none"};
    argv.insert(argv.end(), more.begin(), more.end());
    extra.try_emplace("MLFLOW_TRACKING_URI", server_.url());
    ProgramSpec program = testing::mpi_program(2, argv, extra);
    std::erase_if(program.environment, [&](const auto& each) {
      return !extra.contains(each.first) && (each.first.starts_with("MLFLOW_") || each.first.starts_with("LOCKSTEP_"));
    });
    program.working_folder = at();
    const Fd log = open_file(at() / "log", O_WRONLY | O_CREAT | O_APPEND);
    program.stdout_fd = program.stderr_fd = log.get();
    return {start_program(program)};
  }
  static pid_t pid_of_rank(const Training& training, int rank) {
    std::istringstream children(read_file(fmt::format("/proc/{0}/task/{0}/children", training.process.pid)));
    for (pid_t child = 0; children >> child;) {
      const std::string environment = read_file(fmt::format("/proc/{}/environ", child));
      if (environment.find(fmt::format("OMPI_COMM_WORLD_RANK={}", rank) + '\0') != std::string::npos) return child;
    }
    throw std::runtime_error("no such rank");
  }
  bool wait_for_end(Training& training) const {
    return wait_until([&] { return ::waitpid(training.process.pid, &training.status, WNOHANG) != 0; },
                      std::chrono::minutes(5));
  }
  int run(int epochs, std::vector<std::string> more = {}, const Environment& extra = {}) {
    Training training = start(epochs, std::move(more), extra);
    EXPECT_TRUE(wait_for_end(training));
    return training.exit_code();
  }

  ProgramResult report_only(const std::string& url) const {
    ProgramSpec program;
    program.argv = {LOCKSTEP_TRAIN, "--report", "only", "--report-wait", "2"};
    program.environment = current_environment();
    program.environment["MLFLOW_TRACKING_URI"] = url;
    program.working_folder = at();
    return run_program(program, std::chrono::minutes(1));
  }

  fs::path at() const { return folder_ / "training"; }
  fs::path journals() const { return at() / "lockstep-train-metrics"; }
  std::string said() const { return read_file(at() / "log"); }
  std::vector<history::JournalEntry> entries(int rank) const {
    return history::JournalReader(journals() / fmt::format("rank-{}.jsonl", rank)).read_new(1'000'000);
  }
  std::int64_t steps_done() {
    for (const auto& entry : live_.read_new(1'000'000)) {
      if (!entry.metrics.empty()) steps_done_ = entry.step;
    }
    return steps_done_;
  }
  Points in_journals() const {
    Points all;
    for (const int rank : {0, 1}) {
      for (const auto& entry : entries(rank)) {
        for (const auto& [key, value] : entry.metrics) all.emplace_back(key, entry.step, entry.timestamp_ms, value);
      }
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  std::unique_ptr<history::Store> store() { return history::open_sqlite_store(server_.store_file()); }
  history::Run only_run() {
    const auto all = store()->list_runs({}).runs;
    if (all.size() != 1) throw std::runtime_error(fmt::format("{} runs", all.size()));
    return all[0];
  }
  Points in_store() {
    Points all;
    const auto history = store();
    const std::string run_id = only_run().run_id;
    for (const auto& latest : history->latest_metrics(run_id)) {
      for (const auto& each : history->metric_history(run_id, latest.key)) {
        all.emplace_back(each.key, each.step, each.timestamp_ms, each.value);
      }
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  bool has_points() {
    const auto all = store()->list_runs({}).runs;
    return !all.empty() && !store()->latest_metrics(all[0].run_id).empty();
  }

  testing::TemporaryFolder folder_;
  TrackingServerProcess server_;
  history::JournalReader live_{journals() / "rank-0.jsonl"};
  std::int64_t steps_done_ = 0;
};
}  // namespace

TEST_F(Reporting, EveryValueIsInTheHistoryAndTheRunHasItsEnd) {
  ASSERT_EQ(run(3, {}, {{"MLFLOW_EXPERIMENT_NAME", "digits"}, {"MLFLOW_RUN_NAME", "first"}}), 0) << said();
  EXPECT_EQ(in_store(), in_journals());
  EXPECT_GT(in_store().size(), 30U * 5);
  const history::Run run = only_run();
  EXPECT_EQ(run.state, history::RunState::completed);
  EXPECT_EQ(run.experiment_name, "digits");
  EXPECT_EQ(run.display_name, "first");
  EXPECT_THAT(store()->params(run.run_id), ::testing::Contains(history::KeyValue{"model", "mlp"}));
  EXPECT_THAT(said(), HasSubstr("runs/" + run.run_id + " "));
}

// The server is stopped as a process is (SIGSTOP): it takes connections and answers nothing. While it is, no value can
// get there, so all steps that the journal gains meanwhile were made without it.
TEST_F(Reporting, NoStepWaitsForAServerThatIsStopped) {
  constexpr std::int64_t steps = 10 * long_training;
  Training training = start(long_training);
  ASSERT_TRUE(eventually([&] { return has_points(); })) << said();
  server_.signal(SIGSTOP);
  const std::int64_t before = steps_done();
  EXPECT_LT(before, steps - 100);
  EXPECT_TRUE(wait_until([&] { return steps_done() == steps; }, std::chrono::minutes(5))) << said();
  server_.signal(SIGCONT);
  ASSERT_TRUE(wait_for_end(training));
  EXPECT_EQ(training.exit_code(), 0) << said();
  EXPECT_EQ(in_store(), in_journals());
  EXPECT_EQ(only_run().state, history::RunState::completed);
}

TEST_F(Reporting, LosesNothingWhenTheServerIsKilledAndComesBack) {
  Training training = start(long_training);
  ASSERT_TRUE(eventually([&] { return has_points(); })) << said();
  server_.end(SIGKILL);
  const std::int64_t before = steps_done();
  ASSERT_TRUE(eventually([&] { return steps_done() >= before + 100; })) << said();
  server_.start();
  ASSERT_TRUE(wait_for_end(training));
  EXPECT_EQ(training.exit_code(), 0) << said();
  EXPECT_EQ(in_store(), in_journals());
  EXPECT_EQ(only_run().state, history::RunState::completed);
}

TEST_F(Reporting, ATrainingThatWasKilledGoesOnInItsRun) {
  std::vector<std::string> options = {"--checkpoint-every", "50"};
  Training killed = start(400, options);
  ASSERT_TRUE(eventually([&] { return has_points() && steps_done() >= 60; })) << said();
  ::kill(killed.process.pid, SIGKILL);  // mpirun; its ranks end with it
  ASSERT_TRUE(wait_for_end(killed));
  const fs::path lock = journals() / "report.lock";
  ASSERT_TRUE(eventually([&] { return FileLock::try_take(lock).has_value(); }));
  EXPECT_EQ(only_run().state, history::RunState::running);
  options.insert(options.end(), {"--max-steps", std::to_string(steps_done() + 100)});
  ASSERT_EQ(run(400, options), 0) << said();
  EXPECT_THAT(said(), HasSubstr("goes on from"));
  EXPECT_EQ(in_store(), in_journals());
  EXPECT_EQ(only_run().state, history::RunState::completed);
}

TEST_F(Reporting, ATrainingThatWasStoppedLeavesItsRunOpenAndGoesOnInIt) {
  Training stopped = start(400);
  ASSERT_TRUE(eventually([&] { return has_points(); })) << said();
  ::kill(pid_of_rank(stopped, 1), SIGTERM);
  ASSERT_TRUE(wait_for_end(stopped));
  EXPECT_EQ(stopped.exit_code(), 75) << said();
  EXPECT_EQ(in_store(), in_journals());
  EXPECT_EQ(only_run().state, history::RunState::running);
  ASSERT_EQ(run(400, {"--max-steps", std::to_string(steps_done() + 100)}), 0) << said();
  EXPECT_EQ(in_store(), in_journals());
  EXPECT_EQ(only_run().state, history::RunState::completed);
}

TEST_F(Reporting, ARunWhoseTrainingASignalEndsIsCalledKilled) {
  Training training = start(400);
  ASSERT_TRUE(eventually([&] { return has_points(); })) << said();
  ::kill(pid_of_rank(training, 0), SIGINT);
  ASSERT_TRUE(wait_for_end(training));
  EXPECT_EQ(training.exit_code(), 130) << said();
  // Under a sanitizer it may not get there in the seconds that it has; then it is told later.
  if (only_run().state != history::RunState::canceled) report_only(server_.url());
  EXPECT_EQ(only_run().state, history::RunState::canceled) << said() << read_file(journals() / "report-1.json");
}

TEST_F(Reporting, AServerThatIsNotThereCostsNothingAndIsToldLater) {
  const std::string url = server_.url();
  server_.end(SIGKILL);
  ASSERT_EQ(run(3, {"--report-wait", "0.5"}, {{"MLFLOW_TRACKING_URI", url}}), 0) << said();
  EXPECT_THAT(said(), HasSubstr("can't be reached"));
  EXPECT_THAT(said(), HasSubstr("--report only --journal lockstep-train-metrics"));
  EXPECT_EQ(steps_done(), 30);
  const ProgramResult early = report_only(url);
  EXPECT_EQ(early.exit_code(), 1) << early.output;
  server_.start();
  const ProgramResult later = report_only(url);
  EXPECT_EQ(later.exit_code(), 0) << later.output;
  EXPECT_EQ(in_store(), in_journals());
  EXPECT_EQ(only_run().state, history::RunState::completed);
  EXPECT_EQ(report_only(url).exit_code(), 0);
  EXPECT_EQ(in_store(), in_journals());
}

TEST_F(Reporting, ATrainingThatFailsSaysSo) {
  EXPECT_EQ(run(3, {"--lr", "1000", "--optimizer", "sgd"}), 1) << said();
  EXPECT_EQ(only_run().state, history::RunState::failed);
  EXPECT_EQ(in_store(), in_journals());
}

TEST_F(Reporting, NothingIsSentWhereNothingIsWanted) {
  ASSERT_EQ(run(1, {"--report", "none"}), 0);
  ASSERT_EQ(run(1, {}, {{"MLFLOW_TRACKING_URI", "sqlite:///x.db"}}), 0);
  ASSERT_EQ(run(1, {}, {{"LOCKSTEP_RUN_DIR", at() / "run"}, {"LOCKSTEP_RUN_ID", "r"}, {"MLFLOW_RUN_ID", "r"}}), 0)
      << said();
  EXPECT_TRUE(store()->list_runs({}).runs.empty());
}

}  // namespace lockstep
