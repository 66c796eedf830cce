#include "launcher/supervise/records.hpp"

#include <gmock/gmock.h>

#include "tests/support/temporary_folder.hpp"

namespace lockstep::supervise {
namespace {

using history::KeyValue;
using ::testing::UnorderedElementsAre;

plan::InputStep step(const std::string& name, plan::InputStep::How how, const std::string& source) {
  plan::InputStep input;
  input.name = name;
  input.how = how;
  input.source = source;
  return input;
}

TEST(Records, MakeLiteralInputsParametersAndHideSecrets) {
  plan::Plan plan;
  plan.run_id = "r1";
  plan.folder = RunFolder("/w/runs/r1");
  plan.inputs = {step("lr", plan::InputStep::How::literal, "0.1"),
                 step("api_token", plan::InputStep::How::literal, "abc"),
                 step("data", plan::InputStep::How::in_place, "/data")};
  const auto run = new_run_of(plan, "7");
  EXPECT_THAT(run.params, UnorderedElementsAre(KeyValue{"lr", "0.1"}, KeyValue{"api_token", "********"}));
  EXPECT_EQ(run.experiment_id, "7");
  EXPECT_EQ(run.artifact_uri, "file:///w/runs/r1/outputs");
}

TEST(Records, KeepTagsAndDescriptionOfTheJob) {
  plan::Plan plan;
  plan.job.tags = {{"team", "vision"}, {"empty", ""}};
  plan.job.description = "first try";
  EXPECT_THAT(new_run_of(plan, "0").tags, UnorderedElementsAre(KeyValue{"team", "vision"}, KeyValue{"empty", ""},
                                                               KeyValue{"mlflow.note.content", "first try"}));
}

TEST(Records, TellWhereInputsCameFromAndWhatTheyWere) {
  compute::Prepared prepared;
  prepared.snapshot_sha256 = "c0de";
  prepared.inputs = {{"data", "https://host/file", "beef", 10, false}, {"here", "/data", "", 0, false}};
  EXPECT_THAT(tags_of(prepared), UnorderedElementsAre(KeyValue{"lockstep.code.sha256", "c0de"},
                                                      KeyValue{"lockstep.input.data.source", "https://host/file"},
                                                      KeyValue{"lockstep.input.data.sha256", "beef"},
                                                      KeyValue{"lockstep.input.here.source", "/data"}));
}

TEST(Records, GiveTheReasonOfWhoeverAskedForTheEnd) {
  const lockstep::testing::TemporaryFolder folder;
  const auto store = history::open_sqlite_store(folder / "history.db");
  history::NewRun run;
  run.experiment_id = store->get_or_create_experiment("e").experiment_id;
  run.run_id = "asked";
  store->create_run(run);
  store->request_cancel("asked", "by mia");
  EXPECT_EQ(reason_of_request(*store, "asked"), "by mia");
  run.run_id = "silent";
  store->create_run(run);
  store->request_cancel("silent", "");
  EXPECT_EQ(reason_of_request(*store, "silent"), "canceled");
}

}  // namespace
}  // namespace lockstep::supervise
