// What a run's token permits: tried on every call of a store that changes something.
#include <gmock/gmock.h>

#include <functional>

#include "history/server/scoped_store.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ScopedToARun : public ::testing::Test {
 protected:
  void SetUp() override {
    other_experiment_ = all_->create_experiment("other", "", {}).experiment_id;
    all_->create_run(new_run("mine"));
    all_->create_run(reported("child", "mine"));
    all_->create_run(reported("grandchild", "child"));
    all_->create_run(reported("foreign", ""));
    all_->create_run(reported("orphan", "not-here"));
    all_->create_logged_model(model("m-mine", "grandchild"));
    all_->create_logged_model(model("m-foreign", "foreign"));
    all_->create_registered_model("known", "", {});
    all_->create_model_version(version("known", "foreign"));
  }
  // A parent that is only a tag, as clients name it.
  static NewRun reported(const std::string& run_id, const std::string& parent) {
    NewRun run = new_run(run_id);
    run.reported_since_ms = 1;
    if (!parent.empty()) run.tags = {{"mlflow.parentRunId", parent}};
    return run;
  }
  static NewLoggedModel model(const std::string& model_id, const std::string& run_id) {
    NewLoggedModel made;
    made.model_id = model_id;
    made.experiment_id = "0";
    made.name = "model";
    made.source_run_id = run_id;
    return made;
  }
  static NewModelVersion version(const std::string& name, const std::string& run_id, const std::string& model_id = "") {
    NewModelVersion made;
    made.name = name;
    made.source = "mlflow-artifacts:/0/x/artifacts/model";
    made.run_id = run_id;
    made.model_id = model_id;
    return made;
  }
  static ModelMetric measured_by(const std::string& run_id) {
    ModelMetric metric;
    metric.metric = {"loss", 1, 1, 1};
    metric.run_id = run_id;
    return metric;
  }
  // Refused before anything was changed.
  void expect_refused(const std::function<void()>& change) {
    try {
      change();
      ADD_FAILURE() << "nothing was refused";
    } catch (const NotPermitted& error) {
      EXPECT_THAT(error.what(), HasSubstr("token of run mine"));
    }
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> all_ = folder_.open();
  ScopedStore ours_{*all_, "mine"};
  std::string other_experiment_;
  const Metric metric_{"loss", 0.5, 1, 1};
  const KeyValue tag_{"k", "v"};
};

TEST_F(ScopedToARun, ChangesThatRunAndThoseBelowIt) {
  for (const char* run : {"mine", "child", "grandchild"}) {
    ours_.log_batch(run, {&metric_, 1}, {&tag_, 1}, {&tag_, 1});
    ours_.delete_tag(run, "k");
    ours_.log_inputs(run, {}, {});
    ours_.log_outputs(run, {});
    ours_.update_run(run, {.state = {}, .ended_ms = {}, .display_name = "named"});
    ours_.check_may_change_run(run);
    EXPECT_EQ(all_->latest_metrics(run).size(), 1U) << run;
    EXPECT_EQ(all_->get_run(run).display_name, "named");
  }
  ours_.set_lifecycle("child", Lifecycle::archived);
  ours_.set_lifecycle("child", Lifecycle::active);
}

TEST_F(ScopedToARun, ChangesNoOther) {
  for (const char* run : {"foreign", "orphan"}) {
    expect_refused([&] { ours_.log_batch(run, {&metric_, 1}, {}, {}); });
    expect_refused([&] { ours_.delete_tag(run, "k"); });
    expect_refused([&] { ours_.log_inputs(run, {}, {}); });
    expect_refused([&] { ours_.log_outputs(run, {}); });
    expect_refused([&] { ours_.update_run(run, {}); });
    expect_refused([&] { ours_.set_lifecycle(run, Lifecycle::archived); });
    expect_refused([&] { ours_.request_cancel(run, "why"); });
    expect_refused([&] { ours_.take_journal(run, {}); });
    expect_refused([&] { ours_.check_may_change_run(run); });
    expect_refused([&] { ours_.create_run(reported("new", run)); });
    EXPECT_THAT(all_->latest_metrics(run), IsEmpty());
  }
  expect_refused([&] { ours_.check_may_change_run(""); });
  expect_refused([&] { ours_.set_lifecycle("mine", Lifecycle::archived); });
  expect_refused([&] { ours_.take_ownership("mine"); });
  expect_refused([&] { ours_.transition("mine", 0, RunState::failed, {}); });
  EXPECT_EQ(error_of([&] { ours_.log_batch("none", {}, {}, {}); }).code(), ExitCode::not_found);
}

TEST_F(ScopedToARun, IsNotLedAstrayByRunsThatAreTheirOwnAncestors) {
  const KeyValue parent{"mlflow.parentRunId", "foreign"};
  all_->log_batch("foreign", {}, {}, {&parent, 1});
  expect_refused([&] { ours_.check_may_change_run("foreign"); });
}

TEST_F(ScopedToARun, BeginsRunsBelowItself) {
  NewRun run = new_run("lonely");
  run.reported_since_ms = 1;
  ours_.create_run(run);
  EXPECT_EQ(all_->get_run("lonely").parent_run_id, "mine");
  run = new_run("deep");
  run.reported_since_ms = 1;
  run.parent_run_id = "grandchild";
  ours_.create_run(run);
  EXPECT_EQ(all_->get_run("deep").parent_run_id, "grandchild");
  ours_.log_batch("deep", {&metric_, 1}, {}, {});
}

TEST_F(ScopedToARun, HasItsOwnExperimentWhateverItIsCalled) {
  EXPECT_EQ(ours_.get_experiment_by_name("other").experiment_id, "0");
  EXPECT_EQ(ours_.get_experiment_by_name("not here").experiment_id, "0");
  EXPECT_EQ(ours_.create_experiment("not here", "", {}).experiment_id, "0");
  EXPECT_EQ(ours_.get_or_create_experiment("not here").experiment_id, "0");
  EXPECT_EQ(all_->list_experiments(View::all).size(), 2U);
  EXPECT_EQ(ours_.get_experiment_by_id(other_experiment_).name, "other");
  expect_refused([&] { ours_.rename_experiment("0", "x"); });
  expect_refused([&] { ours_.set_experiment_lifecycle(other_experiment_, Lifecycle::archived); });
  expect_refused([&] { ours_.set_experiment_tag("0", tag_); });
  expect_refused([&] { ours_.delete_experiment_tag("0", "k"); });
}

TEST_F(ScopedToARun, LogsModelsOfItsOwnRuns) {
  EXPECT_EQ(ours_.create_logged_model(model("m-new", "")).source_run_id, "mine");
  for (const char* mine : {"m-new", "m-mine"}) {
    ours_.check_may_change_model(mine);
    ours_.set_logged_model_tags(mine, {tag_});
    ours_.delete_logged_model_tag(mine, "k");
    ours_.log_logged_model_params(mine, {tag_});
    ours_.finish_logged_model(mine, LoggedModelStatus::ready);
    ours_.delete_logged_model(mine);
  }
  ours_.log_model_metrics("m-foreign", {measured_by("child")});
  expect_refused([&] { ours_.log_model_metrics("m-foreign", {measured_by("foreign")}); });
  expect_refused([&] { ours_.create_logged_model(model("m-other", "foreign")); });
  expect_refused([&] { ours_.check_may_change_model("m-foreign"); });
  expect_refused([&] { ours_.set_logged_model_tags("m-foreign", {tag_}); });
  expect_refused([&] { ours_.delete_logged_model_tag("m-foreign", "k"); });
  expect_refused([&] { ours_.log_logged_model_params("m-foreign", {tag_}); });
  expect_refused([&] { ours_.finish_logged_model("m-foreign", LoggedModelStatus::failed); });
  expect_refused([&] { ours_.delete_logged_model("m-foreign"); });
}

TEST_F(ScopedToARun, RegistersWhatItsOwnRunsMade) {
  ours_.create_registered_model("new", "", {});
  EXPECT_EQ(ours_.create_model_version(version("known", "child")).version, 2);
  EXPECT_EQ(ours_.create_model_version(version("known", "", "m-mine")).version, 3);
  for (const int mine : {2, 3}) {
    ours_.describe_model_version("known", mine, "good");
    ours_.set_model_version_tag("known", mine, tag_);
    ours_.delete_model_version_tag("known", mine, "k");
  }
  expect_refused([&] { ours_.create_model_version(version("known", "foreign")); });
  expect_refused([&] { ours_.create_model_version(version("known", "")); });
  expect_refused([&] { ours_.create_model_version(version("known", "child", "m-foreign")); });
  expect_refused([&] { ours_.describe_model_version("known", 1, "bad"); });
  expect_refused([&] { ours_.set_model_version_tag("known", 1, tag_); });
  expect_refused([&] { ours_.delete_model_version_tag("known", 1, "k"); });
  expect_refused([&] { ours_.move_model_version("known", 2, "Production", false); });
  expect_refused([&] { ours_.delete_model_version("known", 2); });
  expect_refused([&] { ours_.rename_registered_model("known", "x"); });
  expect_refused([&] { ours_.describe_registered_model("known", "x"); });
  expect_refused([&] { ours_.delete_registered_model("known"); });
  expect_refused([&] { ours_.set_registered_model_tag("known", tag_); });
  expect_refused([&] { ours_.delete_registered_model_tag("known", "k"); });
  expect_refused([&] { ours_.set_model_alias("known", "best", 2); });
  expect_refused([&] { ours_.delete_model_alias("known", "best"); });
}

TEST_F(ScopedToARun, MakesNoTokens) {
  expect_refused([&] { ours_.create_token({}, "hash"); });
  expect_refused([&] { ours_.list_tokens(); });
  expect_refused([&] { ours_.delete_token("x"); });
}

TEST_F(ScopedToARun, IsWhatItsWorkGets) {
  const Work work = scoped_to("mine", [](Store& store) {
    store.check_may_change_run("foreign");
    return Reply{};
  });
  expect_refused([&] { work(*all_); });
}

}  // namespace
}  // namespace lockstep::history::server
