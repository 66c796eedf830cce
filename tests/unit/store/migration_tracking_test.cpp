#include <gmock/gmock.h>

#include "history/store/schema.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;

// A store as version 1 left it: a parent and a child, whose user has a tag of its own, and a metric out of order.
void make_version_1(const fs::path& file) {
  create_if_missing(file, migrations().first(1));
  SqliteDatabase(file).execute(R"sql(
    INSERT INTO runs (number, run_id, experiment_id, parent_run_id, display_name, user_id, state, created_ms)
      VALUES (1, 'parent', 0, '', 'brave fox', '', 'Running', 1), (2, 'child', 0, 'parent', '', 'ada', 'Queued', 2);
    INSERT INTO tags VALUES (2, 'mlflow.user', 'grace'), (2, 'note', 'x');
    INSERT INTO series VALUES (1, 1, 'loss', 2, 20, 0.5);
    INSERT INTO metrics VALUES (1, 2, 20, 0.5), (1, 1, 10, 1.5);
  )sql");
}

TEST(TrackingMigration, GivesRunsTheTagsOfTheirFieldsWhereTheyHaveNone) {
  const StoreFolder folder;
  make_version_1(folder.file());
  const auto store = folder.open();
  EXPECT_THAT(store->tags("parent"), ElementsAre(KeyValue{"mlflow.runName", "brave fox"}));
  EXPECT_THAT(store->tags("child"), ElementsAre(KeyValue{"mlflow.parentRunId", "parent"},
                                                KeyValue{"mlflow.user", "grace"}, KeyValue{"note", "x"}));
  EXPECT_FALSE(store->get_run("parent").reported);
}

TEST(TrackingMigration, KeepsTheOrderOfStepsOfMetricsThatItKnowsNothingAbout) {
  const StoreFolder folder;
  make_version_1(folder.file());
  const auto store = folder.open();
  const Metric first{"loss", 1.5, 10, 1};
  const Metric second{"loss", 0.5, 20, 2};
  const Metric third{"loss", 0.25, 30, 3};
  store->log_batch("parent", {&third, 1}, {}, {});
  EXPECT_THAT(store->metric_history_page("parent", "loss", 9, "").metrics, ElementsAre(first, second, third));
  EXPECT_THAT(store->metric_interval("parent", "loss", {}, {}, 2), ElementsAre(first, third));
}

}  // namespace
}  // namespace lockstep::history
