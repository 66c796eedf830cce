#include <gmock/gmock.h>

#include <cmath>
#include <fstream>

#include "history/transfer/mlruns.hpp"
#include "history/transfer/mlruns_files.hpp"
#include "history/transfer/store_sink.hpp"
#include "tests/support/write_text.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history::transfer {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::write_text;

TEST(MetricLine, IsTimeValueAndStep) {
  const auto metric_in = [](const char* line) { return parse_metric_line(line).value_or(MetricLine()).metric; };
  EXPECT_EQ(metric_in("12 0.5 3"), (Metric{"", 0.5, 12, 3}));
  EXPECT_EQ(metric_in("12 1e-05\r\n"), (Metric{"", 1e-05, 12, 0}));
  EXPECT_TRUE(std::isnan(metric_in("12 nan 3").value));
  EXPECT_EQ(metric_in("12 -inf -3").value, -INFINITY);
  EXPECT_THAT(parse_metric_line("1 2 3 name digest").value_or(MetricLine()).rest, ElementsAre("name", "digest"));
  EXPECT_EQ(metric_in("1 2 3 name digest").step, 3);  // MLflow reads 0 here
  for (const char* wrong : {"", "12", "x 1 1", "1 x 1", "1 1 x", "1 1 1.5", "1,1,1", " 1 1"}) {
    EXPECT_FALSE(parse_metric_line(wrong)) << wrong;
  }
}

TEST(MetaFile, SaysWhereItIsWrong) {
  const auto mistake = [](const std::string& text) {
    return std::string(error_of([&] { MetaFile(text, "meta.yaml").integer("a"); }).what());
  };
  EXPECT_THAT(mistake("x: 1\na: b\n"), HasSubstr("meta.yaml:2:4: 'a' should be an integer"));
  EXPECT_THAT(mistake("a: [1\n"), HasSubstr("meta.yaml:"));
  EXPECT_THAT(mistake("- a"), HasSubstr("it should be a mapping"));
  EXPECT_EQ(MetaFile("a: null\nb: ''", "x").text("a"), "");
}

TEST(Mlruns, OfTheFirstReleasesIsRead) {
  const testing::TemporaryFolder folder;
  write_text(folder / "0/meta.yaml",
             "artifact_location: mlruns/0\nexperiment_id: 0\nlifecycle_stage: active\nname: Default\n");
  write_text(
      folder / "0/abc/meta.yaml",
      "artifact_uri: mlruns/0/abc/artifacts\nend_time: 9000\nexperiment_id: 0\nlifecycle_stage: active\nname: ''\n"
      "run_uuid: abc\nsource_type: 4\nstart_time: 1000\nstatus: 3\ntags: []\nuser_id: ada\n");
  write_text(folder / "0/abc/metrics/loss", "1001 0.5\n1002 0.25\n");
  write_text(folder / "0/abc/params/lr", "0.1");
  const StoreFolder store_folder;
  const auto store = store_folder.open();
  StoreSink sink(*store);
  Mlruns(folder.path()).give(sink);
  const FullRun run = store->get_full_run("abc");
  EXPECT_EQ(run.run.state, RunState::completed);
  EXPECT_EQ(run.run.started_ms, 1000);
  EXPECT_EQ(run.run.ended_ms, 9000);
  EXPECT_EQ(run.run.user_id, "ada");
  EXPECT_THAT(run.params, ElementsAre(KeyValue{"lr", "0.1"}));
  EXPECT_EQ(store->metric_history("abc", "loss").size(), 2U);
}

TEST(Mlruns, WithABrokenFileNamesIt) {
  const testing::TemporaryFolder folder;
  write_text(folder / "0/meta.yaml", "experiment_id: 0\nname: Default\n");
  write_text(folder / "0/abc/meta.yaml", "experiment_id: 0\nrun_id: abc\nstatus: 3\n");
  write_text(folder / "0/abc/metrics/loss", "1001 0.5 1\nhalf a li");
  const StoreFolder store_folder;
  const auto store = store_folder.open();
  StoreSink sink(*store);
  EXPECT_THAT(error_of([&] { Mlruns(folder.path()).give(sink); }).what(), HasSubstr("metrics/loss:2:"));
  EXPECT_THROW(store->get_run("abc"), Error);
}

}  // namespace lockstep::history::transfer
