#include <gmock/gmock.h>

#include <chrono>
#include <functional>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoreExperiments : public ::testing::Test {
 protected:
  void expect_refused(const std::function<void()>& action, ExitCode code, const std::string& message) {
    const Error error = error_of(action);
    EXPECT_EQ(error.code(), code);
    EXPECT_EQ(error.what(), message);
  }
  // Two milliseconds later than it was, so that a new time is another one.
  void let_time_pass() {
    const std::int64_t begin = now();
    while (now() < begin + 2) {
    }
  }
  static std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
};

TEST_F(StoreExperiments, AreCreatedWithLocationAndTagsAndFoundByIdAndName) {
  const std::int64_t before = now();
  const Experiment made = store_->create_experiment("mnist", "s3://bucket/x", {{"team", "vision"}, {"area", "a b"}});
  EXPECT_EQ(made.experiment_id, "1");
  EXPECT_EQ(made.artifact_location, "s3://bucket/x");
  EXPECT_EQ(made.lifecycle, Lifecycle::active);
  EXPECT_THAT(made.tags, ElementsAre(KeyValue{"area", "a b"}, KeyValue{"team", "vision"}));
  EXPECT_TRUE(before <= made.created_ms && made.created_ms == made.updated_ms && made.updated_ms <= now());
  const auto other = folder_.open();
  const std::vector<Experiment> ways = {other->get_experiment_by_id("1"), other->get_experiment_by_name("mnist"),
                                        other->get_experiment("mnist"), other->get_or_create_experiment("mnist"),
                                        other->list_experiments(View::all).front()};
  for (const Experiment& found : ways) {
    EXPECT_EQ(found.experiment_id, "1");
    EXPECT_EQ(found.name, "mnist");
    EXPECT_EQ(found.artifact_location, "s3://bucket/x");
    EXPECT_EQ(found.created_ms, made.created_ms);
    EXPECT_EQ(found.tags, made.tags);
  }
}

TEST_F(StoreExperiments, AreNotFoundInMlflowsWords) {
  expect_refused([&] { store_->get_experiment_by_id("7"); }, ExitCode::not_found, "No Experiment with id=7 exists");
  expect_refused([&] { store_->get_experiment_by_id("mnist"); }, ExitCode::bad_input,
                 "Invalid experiment ID 'mnist'. Experiment ID must be a valid integer.");
  expect_refused([&] { store_->get_experiment_by_name("0"); }, ExitCode::not_found,
                 "Could not find experiment with name '0'");
}

TEST_F(StoreExperiments, KeepTheirNameWhenTheyAreArchived) {
  store_->create_experiment("mnist", "", {});
  EXPECT_THROW(store_->create_experiment("mnist", "", {}), AlreadyExists);
  store_->set_experiment_lifecycle("1", Lifecycle::archived);
  expect_refused([&] { store_->create_experiment("mnist", "", {}); }, ExitCode::bad_input,
                 "Experiment(name=mnist) already exists in deleted state; restore it, or choose another name.");
  EXPECT_THROW(store_->rename_experiment("0", "mnist"), AlreadyExists);
  EXPECT_EQ(store_->get_experiment_by_name("mnist").lifecycle, Lifecycle::archived);
}

TEST_F(StoreExperiments, AreNotCreatedWhenOneOfTheirTagsIsWrong) {
  EXPECT_EQ(error_of([&] {
              store_->create_experiment("a", "", {{"ok", "1"}, {"no?", "1"}});
            }).code(),
            ExitCode::bad_input);
  EXPECT_EQ(error_of([&] {
              store_->create_experiment("a", "", {{"t", std::string(20'001, 'x')}});
            }).code(),
            ExitCode::bad_input);
  EXPECT_EQ(store_->list_experiments(View::all).size(), 1U);
  EXPECT_EQ(store_->create_experiment("a", "", {{"t", std::string(20'000, 'x')}}).tags[0].value.size(), 20'000U);
}

TEST_F(StoreExperiments, AreRenamedWhileActive) {
  const Experiment made = store_->create_experiment("mnist", "", {});
  let_time_pass();
  store_->rename_experiment("1", "digits");
  const Experiment renamed = store_->get_experiment_by_id("1");
  EXPECT_EQ(renamed.name, "digits");
  EXPECT_EQ(renamed.created_ms, made.created_ms);
  EXPECT_GT(renamed.updated_ms, made.updated_ms);
  store_->rename_experiment("1", "digits");
  EXPECT_THROW(store_->rename_experiment("1", "Default"), AlreadyExists);
  EXPECT_EQ(error_of([&] { store_->rename_experiment("1", ""); }).code(), ExitCode::bad_input);
  store_->set_experiment_lifecycle("1", Lifecycle::archived);
  expect_refused([&] { store_->rename_experiment("1", "x"); }, ExitCode::bad_input,
                 "Cannot rename a non-active experiment.");
}

TEST_F(StoreExperiments, TakeTheirRunsWithThemWhenArchivedAndRestored) {
  const Experiment made = store_->create_experiment("mnist", "", {});
  store_->create_run(new_run("a", "1"));
  store_->create_run(new_run("b", "1"));
  store_->create_run(new_run("elsewhere"));
  store_->set_lifecycle("b", Lifecycle::archived);
  let_time_pass();
  store_->set_experiment_lifecycle("1", Lifecycle::archived);
  EXPECT_GT(store_->get_experiment_by_id("1").updated_ms, made.updated_ms);
  EXPECT_EQ(store_->get_run("a").lifecycle, Lifecycle::archived);
  EXPECT_EQ(store_->get_run("elsewhere").lifecycle, Lifecycle::active);
  EXPECT_EQ(store_->list_experiments(View::active_only).size(), 1U);
  expect_refused([&] { store_->set_experiment_lifecycle("1", Lifecycle::archived); }, ExitCode::not_found,
                 "No Experiment with id=1 exists");
  store_->set_experiment_lifecycle("1", Lifecycle::active);
  for (const char* run : {"a", "b"}) EXPECT_EQ(store_->get_run(run).lifecycle, Lifecycle::active) << run;
  expect_refused([&] { store_->set_experiment_lifecycle("1", Lifecycle::active); }, ExitCode::not_found,
                 "No Experiment with id=1 exists");
}

TEST_F(StoreExperiments, HaveTagsThatAreSetAndDeletedWithoutBeingAnUpdate) {
  const Experiment made = store_->create_experiment("mnist", "", {});
  let_time_pass();
  store_->set_experiment_tag("1", {"t", "1"});
  store_->set_experiment_tag("1", {"t", "2"});
  store_->set_experiment_tag("1", {"u", ""});
  EXPECT_THAT(store_->get_experiment("mnist").tags, ElementsAre(KeyValue{"t", "2"}, KeyValue{"u", ""}));
  store_->delete_experiment_tag("1", "t");
  EXPECT_THAT(store_->get_experiment("mnist").tags, ElementsAre(KeyValue{"u", ""}));
  EXPECT_EQ(store_->get_experiment("mnist").updated_ms, made.updated_ms);
  EXPECT_THAT(store_->get_experiment("0").tags, IsEmpty());
  expect_refused([&] { store_->delete_experiment_tag("1", "t"); }, ExitCode::not_found,
                 "No tag with name: t in experiment with id 1");
}

TEST_F(StoreExperiments, TakeNothingNewWhileTheyAreArchived) {
  store_->create_experiment("mnist", "", {{"t", "1"}});
  store_->set_experiment_lifecycle("1", Lifecycle::archived);
  const std::string said = "The experiment 1 must be in the 'active' state. Current state is deleted.";
  expect_refused([&] { store_->set_experiment_tag("1", {"t", "2"}); }, ExitCode::bad_input, said);
  expect_refused([&] { store_->delete_experiment_tag("1", "t"); }, ExitCode::bad_input, said);
  expect_refused([&] { store_->create_run(new_run("a", "1")); }, ExitCode::bad_input, said);
  EXPECT_THAT(store_->get_experiment_by_id("1").tags, ElementsAre(KeyValue{"t", "1"}));
}

}  // namespace
}  // namespace lockstep::history
