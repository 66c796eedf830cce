#include "launcher/supervise/preemption.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::supervise {
namespace {

using history::RunState;
using lockstep::testing::TemporaryFolder;
using ::testing::HasSubstr;

class PreemptionTest : public ::testing::Test {
 protected:
  PreemptionTest() : workspace(temporary / "ws") {
    workspace.create();
    store = history::open_sqlite_store(workspace.store_file());
  }

  void has_run(const std::string& name, const std::string& compute, const std::vector<RunState>& states) {
    history::NewRun run;
    run.run_id = name;
    run.compute = compute;
    run.experiment_id = store->get_or_create_experiment("e").experiment_id;
    store->create_run(run);
    workspace.run(name).create();
    const std::int64_t epoch = store->take_ownership(name);
    for (const RunState state : states) store->transition(name, epoch, state);
  }
  std::string refusal(const std::string& name) {
    try {
      request_preemption(workspace, *store, name, "by the test");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_input);
      return error.what();
    }
    return "";
  }

  TemporaryFolder temporary;
  Workspace workspace;
  std::unique_ptr<history::Store> store;
};

TEST_F(PreemptionTest, IsAskedOnceUntilItIsForgotten) {
  has_run("r", "rack", {RunState::preparing, RunState::running});
  EXPECT_FALSE(preemption_is_requested(workspace.run("r")));
  EXPECT_TRUE(request_preemption(workspace, *store, "r", "by the test"));
  EXPECT_TRUE(preemption_is_requested(workspace.run("r")));
  EXPECT_FALSE(request_preemption(workspace, *store, "r", "by the test"));
  forget_preemption_request(workspace.run("r"));
  EXPECT_FALSE(preemption_is_requested(workspace.run("r")));
  EXPECT_TRUE(request_preemption(workspace, *store, "r", "by the test"));
}

TEST_F(PreemptionTest, IsRefusedWithTheReasonWhereThereIsNothingToTakeAway) {
  has_run("here", "local", {RunState::preparing, RunState::running});
  EXPECT_THAT(refusal("here"), HasSubstr("here can't be preempted: it runs on this machine"));
  has_run("waits", "rack", {RunState::queued});
  EXPECT_THAT(refusal("waits"), HasSubstr("it is Queued: only a run that is Running has nodes"));
  has_run("over", "rack", {RunState::preparing, RunState::running, RunState::completed});
  EXPECT_THAT(refusal("over"), HasSubstr("it has ended before: Completed"));
  has_run("ends", "rack", {RunState::preparing, RunState::running});
  store->request_cancel("ends", "enough");
  EXPECT_THAT(refusal("ends"), HasSubstr("it was asked to stop"));
  for (const char* each : {"here", "waits", "over", "ends"}) EXPECT_FALSE(preemption_is_requested(workspace.run(each)));
  EXPECT_THROW(request_preemption(workspace, *store, "nobody", ""), Error);
}

}  // namespace
}  // namespace lockstep::supervise
