// The tracking endpoint that every run has: jobs that log through it, by Python's own HTTP client. What MLflow's client
// makes of it, tests/clients shows.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <sstream>

#include "history/store/store.hpp"
#include "tests/e2e/run_rig.hpp"
#include "tests/e2e/sandbox.hpp"
#include "tests/support/raw_http.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// call() gives the status and the reply; log() expects success.
constexpr const char* helper = R"py(
import json, os, sys, time, urllib.request, urllib.error
uri, run_id = os.environ["MLFLOW_TRACKING_URI"], os.environ["MLFLOW_RUN_ID"]
def call(path, body=None, token=os.environ["MLFLOW_TRACKING_TOKEN"]):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(uri + "/api/2.0/mlflow/" + path, data, {"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.loads(reply.read() or b"{}")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
def log(key, value, step=0, run=run_id):
    status, reply = call("runs/log-metric", dict(run_id=run, key=key, value=value, step=step, timestamp=1))
    assert status == 200, reply
)py";

class Tracking : public ::testing::Test {
 protected:
  // A job of this Python program; it finds the workspace's folder in argv[1].
  std::string job(const std::string& program, const std::string& more = "") {
    const std::string file = sandbox.write("program.py", helper + program);
    return fmt::format("command: python3 {0}/{1} {0}\n{2}", sandbox.folder().string(), file, more);
  }
  std::unique_ptr<history::Store> store() {
    return history::open_sqlite_store(sandbox.folder() / ".lockstep" / "history.db");
  }

  Sandbox sandbox;
};

TEST_F(Tracking, TakesWhatAJobLogsWithoutAnySetting) {
  const Answer answer = sandbox.run(job(R"py(
log("loss", 0.5, 1)
log("loss", 0.25, 2)
assert call("runs/set-tag", dict(run_id=run_id, key="note", value="good"))[0] == 200
info = call("runs/get?run_id=" + run_id)[1]["run"]["info"]
assert info["status"] == "RUNNING" and info["experiment_id"] == os.environ["MLFLOW_EXPERIMENT_ID"], info
found = call("experiments/get-by-name?experiment_name=" + os.environ["MLFLOW_EXPERIMENT_NAME"])[1]["experiment"]
assert found["experiment_id"] == info["experiment_id"], found
print("all", "logged")
)py",
                                        "experiment_name: mine\n"),
                                    {"--name", "logging"});
  EXPECT_EQ(answer.exit_code, 0) << answer.both();
  EXPECT_THAT(answer.out, HasSubstr("all logged"));
  const auto values = store()->metric_history("logging", "loss");
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[1].value, 0.25);
  EXPECT_EQ(values[1].step, 2);
  EXPECT_THAT(store()->tags("logging"), Contains(history::KeyValue{"note", "good"}));
  EXPECT_EQ(store()->get_run("logging").experiment_name, "mine");
}

TEST_F(Tracking, IsOpenToTheRunAndThoseBelowItAlone) {
  sandbox.run("command: \"true\"\n", {"--name", "other"});
  const Answer answer = sandbox.run(job(R"py(
point = dict(key="m", value=1, step=0, timestamp=1)
print([call("runs/log-metric", point | dict(run_id=run), token)[0]
       for run, token in [(run_id, ""), (run_id, "wrong"), ("other", os.environ["MLFLOW_TRACKING_TOKEN"])]])
print(call("runs/get?run_id=other")[0], call("runs/delete", dict(run_id=run_id))[0])
child = call("runs/create", dict(experiment_id="0", run_name="child"))[1]["run"]["info"]["run_id"]
log("m", 2, run=child)
)py"),
                                    {"--name", "closed"});
  EXPECT_THAT(answer.out, AllOf(HasSubstr("[401, 401, 403]"), HasSubstr("200 403")));
  history::RunQuery children;
  children.parent_run_id = "closed";
  const auto below = store()->list_runs(children).runs;
  ASSERT_EQ(below.size(), 1U);
  EXPECT_EQ(below[0].display_name, "child");
  EXPECT_EQ(below[0].state, history::RunState::completed);  // it did not say so, but its program ended well
  EXPECT_EQ(store()->latest_metrics("other").size(), 0U);
}

TEST_F(Tracking, EndsWithItsRunAndTakesItsChildrenAlong) {
  const Answer answer = sandbox.run(job(R"py(
child = call("runs/create", dict(experiment_id="0"))[1]["run"]["info"]["run_id"]
grandchild = call("runs/create", dict(tags=[dict(key="mlflow.parentRunId", value=child)]))[1]["run"]["info"]["run_id"]
call("runs/update", dict(run_id=child, status="FINISHED"))
print(uri, child, grandchild)
sys.exit(3)
)py"),
                                    {"--name", "failing"});
  EXPECT_EQ(answer.exit_code, 1);
  std::istringstream said(sandbox.log_of("failing"));
  std::string uri;
  std::string child;
  std::string grandchild;
  said >> uri >> child >> grandchild;
  EXPECT_EQ(store()->get_run(child).state, history::RunState::completed);
  EXPECT_EQ(store()->get_run(grandchild).state, history::RunState::failed);
  EXPECT_THROW(RawHttp(std::stoi(uri.substr(uri.rfind(':') + 1))), Error);  // nobody listens there now
}

TEST_F(Tracking, IsSharedByTheRanks) {
  const Answer answer = sandbox.run(job(R"py(
log("rank " + os.environ["RANK"], 1)
)py",
                                        "distribution: {type: mpi}\nresources: {instance_count: 3}\n"),
                                    {"--name", "three"});
  EXPECT_EQ(answer.exit_code, 0) << answer.both();
  EXPECT_EQ(store()->latest_metrics("three").size(), 3U);
}

TEST_F(Tracking, IsTheInnerRunsOwnWhereARunStartsAnother) {
  const std::string inner = sandbox.write("inner.yml", "command: echo id=$MLFLOW_RUN_ID\n");
  const Answer answer = sandbox.run(fmt::format("command: echo id=$MLFLOW_RUN_ID; {} run {}/{} --name inner\n",
                                                LOCKSTEP_BINARY_DIR "/bin/lockstep", sandbox.folder().string(), inner),
                                    {"--name", "outer"});
  EXPECT_THAT(answer.out, AllOf(HasSubstr("id=outer"), HasSubstr("id=inner"))) << answer.both();
}

TEST_F(Tracking, IsNotSetWhereTheJobSaysItself) {
  sandbox.environment["LOCKSTEP_RUN_ID"] = "an outer run";
  sandbox.environment["MLFLOW_RUN_ID"] = "of the outer run";
  const Answer answer = sandbox.run(
      "command: env | grep ^MLFLOW_ | sort\nenvironment_variables: {MLFLOW_TRACKING_URI: 'http://elsewhere'}\n",
      {"--name", "elsewhere"});
  EXPECT_EQ(sandbox.log_of("elsewhere"), "MLFLOW_TRACKING_URI=http://elsewhere\n") << answer.both();
}

TEST_F(Tracking, IsReachedPastAProxy) {
  sandbox.environment["http_proxy"] = "http://127.0.0.1:9";  // nobody is there
  sandbox.environment["no_proxy"] = "example.org";
  const Answer answer = sandbox.run(job("log('m', 1); print(os.environ['no_proxy'])\n"), {"--name", "behind"});
  EXPECT_EQ(answer.exit_code, 0) << answer.both();
  EXPECT_THAT(answer.out, HasSubstr("example.org,127.0.0.1\n"));
}

TEST_F(Tracking, LeavesItsTokenInNoFileOfTheRun) {
  const Answer answer =
      sandbox.run(job("log('m', 1); print(os.environ['MLFLOW_TRACKING_TOKEN'][:20])\n"), {"--name", "secret"});
  const std::string token = sandbox.log_of("secret").substr(0, 20);
  ASSERT_EQ(token.size(), 20U) << answer.both();
  for (const auto& each : fs::recursive_directory_iterator(sandbox.folder() / ".lockstep")) {
    if (!each.is_regular_file() || each.path() == sandbox.run_folder("secret").rank_log(0)) continue;
    EXPECT_THAT(read_file(each.path()), Not(HasSubstr(token))) << each.path();
  }
}

TEST(SystemMetrics, AreTakenWhileTheProgramRuns) {
  Sandbox sandbox;
  const std::string name =
      sandbox.create(sandbox.waiting_job() + "environment_variables: {MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL: '1'}\n");
  const auto samples = [&] {
    return history::open_sqlite_store(sandbox.folder() / ".lockstep" / "history.db")
        ->metric_history(name, "system/cpu_utilization_percentage");
  };
  EXPECT_TRUE(wait_until([&] { return samples().size() >= 2; }));
  sandbox.let_one_go();
  ASSERT_TRUE(sandbox.wait_for_end(name));
  const auto taken = samples();
  ASSERT_GE(taken.size(), 2U);
  EXPECT_EQ(taken[1].step, 1);
  EXPECT_THAT(sandbox.lockstep({"metrics", name}).out, HasSubstr("system/system_memory_usage_megabytes"));
  EXPECT_THAT(sandbox.lockstep({"job", "stream", name}).out, HasSubstr(" of the system"));
}

TEST(TrackingRig, LosesNothingThatItAcknowledgedWhenTheSupervisorIsKilled) {
  RunRig rig;
  write_file_atomically(rig.folder() / "program.py", std::string(helper) + R"py(
acknowledged = open(sys.argv[1], "a", buffering=1)
for step in range(1_000_000):
    log("m", step, step)
    print(step, file=acknowledged)
)py");
  const auto acknowledged = [&] {
    std::istringstream lines(read_file_if_exists(rig.folder() / "acknowledged").value_or(""));
    std::vector<std::int64_t> steps;
    for (std::int64_t step = 0; lines >> step;) steps.push_back(step);
    return steps;
  };
  const auto command = rig.submit(rig.command_plan(
      "victim", fmt::format("python3 {0}/program.py {0}/acknowledged", rig.folder().string()), 1, rig.workspace()));
  ASSERT_TRUE(wait_until([&] { return acknowledged().size() > 200; }));
  send_signal(command.supervisor, SIGKILL);
  ASSERT_TRUE(rig.wait_until_ended("victim"));
  EXPECT_EQ(rig.run("victim").state, history::RunState::failed);
  std::vector<std::int64_t> kept;
  const auto store = history::open_sqlite_store(rig.workspace().store_file());
  for (const auto& metric : store->metric_history("victim", "m")) kept.push_back(metric.step);
  EXPECT_TRUE(std::ranges::includes(kept, acknowledged()));  // both by step
}

}  // namespace
}  // namespace lockstep::testing
