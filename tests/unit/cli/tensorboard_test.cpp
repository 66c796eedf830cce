#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/tensorboard_export.hpp"
#include "cli/tensorboard_program.hpp"
#include "cli/tensorboard_runs.hpp"
#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::cli {
namespace {

using ::testing::ElementsAre;

TEST(TensorBoardArgv, HasOnlyWhatWasAskedFor) {
  EXPECT_THAT(tensorboard_argv("/bin/tb", {"/tmp/x", "", std::nullopt}),
              ElementsAre("/bin/tb", "--logdir", "/tmp/x", "--reload_multifile", "true"));
  EXPECT_THAT(
      tensorboard_argv("/bin/tb", {"/tmp/x", "0.0.0.0", 0}),
      ElementsAre("/bin/tb", "--logdir", "/tmp/x", "--reload_multifile", "true", "--host", "0.0.0.0", "--port", "0"));
}

std::vector<std::string> labels_of(const std::vector<std::pair<std::string, std::string>>& ids_and_names) {
  std::vector<history::Run> runs;
  for (const auto& [id, name] : ids_and_names) {
    runs.emplace_back();
    runs.back().run_id = id;
    runs.back().display_name = name;
  }
  std::vector<std::string> labels;
  for (const auto& each : labelled(runs)) labels.push_back(each.label);
  return labels;
}

TEST(TensorBoardLabels, AreNamesOfFoldersAndEachIsOfOneRun) {
  EXPECT_THAT(labels_of({{"r1", "lr 0.1"}, {"r2", ""}, {"r3", "../../etc"}, {"r4", "."}}),
              ElementsAre("lr 0.1", "r2", "_.._.._etc", "_."));
  EXPECT_THAT(labels_of({{"r1", "same"}, {"r2", "same"}, {"r3", "other"}}), ElementsAre("same r1", "same r2", "other"));
  EXPECT_THAT(labels_of({{"r1", "a/b"}, {"r2", "a_b"}}), ElementsAre("a_b r1", "a_b r2"));
}

class TensorBoardRuns : public ::testing::Test {
 protected:
  void create(const std::string& id, const std::string& experiment, const std::string& name = "") {
    history::NewRun run;
    run.run_id = id;
    run.experiment_id = store_->get_or_create_experiment(experiment).experiment_id;
    run.display_name = name;
    store_->create_run(run);
  }
  std::vector<std::string> chosen(const std::vector<std::string>& names, const std::string& experiment = "") {
    std::vector<std::string> ids;
    const RunChoice choice = choose_runs(*store_, names, experiment);
    for (const auto& each : choice.runs) ids.push_back(each.run.run_id);
    more_ = choice.more;
    return ids;
  }
  ExitCode refusal(const std::vector<std::string>& names, const std::string& experiment = "") {
    try {
      choose_runs(*store_, names, experiment);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::done;
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<history::Store> store_ = history::open_sqlite_store(folder_ / "history.db");
  bool more_ = false;
};

TEST_F(TensorBoardRuns, AreNamedOrMatchedOrOfAnExperimentAndEachComesOnce) {
  create("a1", "one", "first");
  create("a2", "one", "second");
  create("b1", "two", "second");
  EXPECT_THAT(chosen({"a1", "b1", "a1"}), ElementsAre("a1", "b1"));
  EXPECT_THAT(chosen({"a*"}), ElementsAre("a2", "a1"));
  EXPECT_THAT(chosen({"sec*"}), ElementsAre("b1", "a2"));
  EXPECT_THAT(chosen({}, "one"), ElementsAre("a2", "a1"));
  EXPECT_THAT(chosen({"a1", "b?"}, "one"), ElementsAre("a2", "a1", "b1"));
  EXPECT_FALSE(more_);
  EXPECT_EQ(refusal({"nothing"}), ExitCode::not_found);
  EXPECT_EQ(refusal({"nothing*"}), ExitCode::not_found);
  EXPECT_EQ(refusal({}, "nothing"), ExitCode::not_found);
}

TEST_F(TensorBoardRuns, AreTheNewestFiftyOfMany) {
  for (int i = 100; i < 151; ++i) create(std::to_string(i), "many");
  const auto ids = chosen({}, "many");
  EXPECT_EQ(ids.size(), 50U);
  EXPECT_EQ(ids.front(), "150");
  EXPECT_EQ(ids.back(), "101");
  EXPECT_TRUE(more_);
  EXPECT_EQ(chosen({"1[0-4]*"}).size(), 50U);
  EXPECT_FALSE(more_);
}

TEST_F(TensorBoardRuns, AreExportedWithoutWhatTheirProgramWroteItself) {
  create("a", "one");
  history::MetricReader metrics(folder_ / "history.db");
  const history::Run run = store_->get_run("a");
  const auto log = [&](const std::string& key, std::int64_t step) {
    store_->log_batch("a", std::vector<history::Metric>{{key, 1, step, step}}, {}, {});
  };
  log("train_loss", 1);
  log("system/cpu", 1);
  EXPECT_EQ(export_events(*store_, metrics, run, folder_ / "all"), 2);
  write_file_atomically(folder_ / "all/events.out.tfevents.1.host.1.0", "");
  log("train_loss", 2);
  log("system/cpu", 2);
  EXPECT_EQ(export_events(*store_, metrics, run, folder_ / "all"), 1);
  EXPECT_EQ(export_events(*store_, metrics, run, folder_ / "all"), 0);
  EXPECT_EQ(export_events(*store_, metrics, run, folder_ / "new"), 4);
}

TEST_F(TensorBoardRuns, AreExportedAnewWhenNobodyKnowsHowFarItWas) {
  create("a", "one");
  history::MetricReader metrics(folder_ / "history.db");
  const history::Run run = store_->get_run("a");
  store_->log_batch("a", std::vector<history::Metric>{{"m", 1, 1, 1}}, {}, {});
  const fs::path folder = folder_ / "events";
  const std::string other = folder_ / "other.store";
  write_file_atomically(other, "something else");
  for (const std::string& progress :
       {std::string(""), std::string("{}"), std::string("[]"), std::string("{\"file\":7,\"row\":9}"),
        std::string("{\"file\":\"gone.store\",\"row\":9}"),
        std::string("{\"file\":\"../other.store\",\"bytes\":3,\"row\":0}")}) {
    fs::create_directories(folder);
    write_file_atomically(folder / "exported.json", progress);
    EXPECT_EQ(export_events(*store_, metrics, run, folder), 1) << progress;
    EXPECT_EQ(export_events(*store_, metrics, run, folder), 0) << progress;
  }
  EXPECT_EQ(read_file(other), "something else");
}

}  // namespace
}  // namespace lockstep::cli
