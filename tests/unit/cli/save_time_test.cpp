#include "cli/save_time.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"

namespace lockstep::cli {
namespace {

using lockstep::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SaveTime : public ::testing::Test {
 protected:
  SaveTime() : store(history::open_sqlite_store(temporary / "history.db")) {}

  void has_run(const std::string& name, const std::string& metric, double seconds) {
    history::NewRun run;
    run.run_id = name;
    run.experiment_id = store->get_or_create_experiment("mnist").experiment_id;
    store->create_run(run);
    store->log_batch(name, std::vector<history::Metric>{{metric, seconds, 1, 10}}, {}, {});
  }

  TemporaryFolder temporary;
  std::unique_ptr<history::Store> store;
  const std::vector<TimeToSave> five_seconds{{5, "partition low gives 5 s", "raise GraceTime"}};
};

TEST_F(SaveTime, ThatIsLongerThanTheGraceIsWarnedOf) {
  has_run("quick", "save_seconds", 4.9);
  EXPECT_THAT(save_time_notes(*store, "mnist", five_seconds), IsEmpty());
  has_run("slow", "save_seconds", 14);
  EXPECT_THAT(save_time_notes(*store, "mnist", five_seconds),
              ElementsAre("in run slow of this experiment its last save took 14.0 s; partition low gives 5 s: raise "
                          "GraceTime"));
  has_run("stopped", "stop_seconds", 20);
  EXPECT_THAT(
      save_time_notes(*store, "mnist", five_seconds),
      ElementsAre("in run stopped of this experiment to save and end took 20.0 s; partition low gives 5 s: raise "
                  "GraceTime"));
}

TEST_F(SaveTime, OfAnotherExperimentIsNoConcern) {
  has_run("slow", "save_seconds", 14);
  store->get_or_create_experiment("other");
  EXPECT_THAT(save_time_notes(*store, "other", five_seconds), IsEmpty());
  EXPECT_THAT(save_time_notes(*store, "not-there-yet", five_seconds), IsEmpty());
}

}  // namespace
}  // namespace lockstep::cli
