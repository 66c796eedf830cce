#include <gmock/gmock.h>
#include <fstream>

#include "history/transfer/archive_reader.hpp"
#include "history/transfer/archive_writer.hpp"
#include "history/transfer/open_source.hpp"
#include "history/transfer/store_sink.hpp"
#include "history/transfer/store_source.hpp"
#include "tests/unit/store/test_store.hpp"
#include "tests/unit/transfer/rich_history.hpp"

namespace lockstep::history::transfer {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {
class Archive : public ::testing::Test {
 protected:
  fs::path file(const std::string& name) const { return folder_ / name; }

  void write(Store& store, const fs::path& to, const Part& part = {}) const {
    ArchiveWriter archive(to);
    StoreSource(store, part).give(archive);
  }
  static Taken read(const fs::path& from, Store& store) {
    StoreSink sink(store);
    open_source(from).source->give(sink);
    return sink.taken();
  }
  // The error that reading this text ends with.
  static std::string mistake_in(const std::string& text) {
    struct Text : ByteSource {
      std::string left;
      std::size_t read(char* to, std::size_t most) override {
        const std::size_t bytes = left.copy(to, most);
        left.erase(0, bytes);
        return bytes;
      }
    };
    auto bytes = std::make_unique<Text>();
    bytes->left = text;
    const StoreFolder folder;
    const auto store = folder.open();
    StoreSink sink(*store);
    ArchiveReader reader(std::move(bytes), "a.jsonl");
    return error_of([&] { reader.give(sink); }).what();
  }

  testing::TemporaryFolder folder_;
  StoreFolder from_folder_;
  StoreFolder to_folder_;
  std::unique_ptr<Store> from_ = from_folder_.open();
  std::unique_ptr<Store> to_ = to_folder_.open();
};

const std::string first = R"({"lockstep_history":1,"exported_ms":1})"
                          "\n";
const std::string experiment = R"({"experiment":{"experiment_id":"7","name":"e"}})"
                               "\n";
const std::string run = R"({"run":{"run_id":"r","experiment_id":"7","state":"Completed","reported":true}})"
                        "\n";
const std::string series = R"({"series":{"run_id":"r","key":"k","steps":[1],"timestamps":[2],"values":[3]}})"
                           "\n";
}  // namespace

TEST_F(Archive, ComesBackAsTheSameHistory) {
  fill(*from_);
  for (const std::string name : {"a.jsonl", "a.jsonl.gz"}) {
    write(*from_, file(name));
    const StoreFolder other;
    const auto store = other.open();
    const Taken taken = read(file(name), *store);
    EXPECT_THAT(taken.left_out, IsEmpty());
    EXPECT_EQ(taken.added.runs, 6);
    expect_same_history(*store, *from_);
  }
  EXPECT_LT(fs::file_size(file("a.jsonl.gz")), fs::file_size(file("a.jsonl")));
}

TEST_F(Archive, ReadTwiceChangesNothing) {
  fill(*from_);
  write(*from_, file("a.jsonl"));
  read(file("a.jsonl"), *to_);
  to_->set_experiment_tag(to_->get_experiment_by_name("größe").experiment_id, {"owner", "somebody else"});
  to_->delete_tag("owned_run", "mlflow.runName");
  const Taken again = read(file("a.jsonl"), *to_);
  EXPECT_EQ(again.added, Counts());
  EXPECT_EQ(again.runs_here, 6);
  EXPECT_EQ(again.models_here, 3);
  EXPECT_THAT(to_->get_experiment_by_name("größe").tags, ElementsAre(KeyValue{"owner", "somebody else"}));
}

TEST_F(Archive, HoldsLongSeriesInPieces) {
  from_->create_run([] {
    NewRun long_run = new_run("long");
    long_run.reported_since_ms = 1;
    return long_run;
  }());
  std::vector<Metric> points;
  for (int i = 0; i < 25'001; ++i) points.push_back({"loss", i * 0.1, i, i});
  from_->log_batch("long", points, {}, {});
  write(*from_, file("a.jsonl"));
  EXPECT_EQ(read(file("a.jsonl"), *to_).added.points, 25'001);
  EXPECT_EQ(to_->metric_history("long", "loss"), from_->metric_history("long", "loss"));
  EXPECT_EQ(to_->metric_interval("long", "loss", {}, {}, 7), from_->metric_interval("long", "loss", {}, {}, 7));
}

TEST_F(Archive, OfSomeRunsHasThoseBelowThemAndTheirModels) {
  fill(*from_);
  write(*from_, file("a.jsonl"), {{"child"}, ""});
  const Taken taken = read(file("a.jsonl"), *to_);
  EXPECT_EQ(taken.added.runs, 2);
  EXPECT_EQ(taken.added.models, 1);  // the logged one; the registry belongs to the whole
  EXPECT_EQ(to_->get_run("grandchild").parent_run_id, "child");
  EXPECT_THROW(StoreSource(*from_, {{"chld"}, ""}), Error);
}

TEST_F(Archive, LeavesARunOutThatIsStillOn) {
  from_->create_run(new_run("on"));
  write(*from_, file("a.jsonl"));
  EXPECT_THAT(read(file("a.jsonl"), *to_).left_out, ElementsAre(HasSubstr("run on: it was still NotStarted there")));
}

TEST_F(Archive, MergesAnExperimentByItsName) {
  const std::string there = from_->create_experiment("shared", "", {{"a", "1"}, {"b", "1"}}).experiment_id;
  NewRun one = new_run("one", there);
  one.reported_since_ms = 1;
  from_->create_run(one);
  to_->create_experiment("another", "", {});
  const std::string here = to_->create_experiment("shared", "", {{"a", "2"}}).experiment_id;
  write(*from_, file("a.jsonl"));
  read(file("a.jsonl"), *to_);
  EXPECT_EQ(to_->get_run("one").experiment_id, here);
  EXPECT_THAT(to_->get_experiment_by_id(here).tags, ElementsAre(KeyValue{"a", "2"}, KeyValue{"b", "1"}));
}

TEST_F(Archive, ThatWasCutIsNoticedWhereverItEnds) {
  fill(*from_);
  write(*from_, file("a.jsonl"));
  const std::string whole = read_file(file("a.jsonl"));
  for (std::size_t size = 0; size + 1 < whole.size(); size += 1 + whole.size() / 97) {
    EXPECT_THAT(mistake_in(whole.substr(0, size)), HasSubstr("a.jsonl")) << size;
  }
  write(*from_, file("a.jsonl.gz"));
  fs::resize_file(file("a.jsonl.gz"), fs::file_size(file("a.jsonl.gz")) - 20);
  EXPECT_THAT(error_of([&] { read(file("a.jsonl.gz"), *to_); }).what(), HasSubstr("the compressed data end too early"));
}

TEST_F(Archive, SaysWhereItIsWrong) {
  EXPECT_THAT(mistake_in("hello\n"), HasSubstr("a.jsonl:1: no JSON"));
  EXPECT_THAT(mistake_in(R"({"lockstep_history":2})"),
              HasSubstr("a.jsonl:1: the first line: this lockstep reads version 1"));
  EXPECT_THAT(mistake_in(first + R"({"experiment":{"experiment_id":"7","nam":"e"}})"), HasSubstr("a.jsonl:2:"));
  EXPECT_THAT(mistake_in(first + R"({"experiment":{"experiment_id":"7","name":"e","tag":{}}})"),
              HasSubstr("unknown member 'tag'; did you mean 'tags'?"));
  EXPECT_THAT(mistake_in(first + R"({"experiment":{"experiment_id":7,"name":"e"}})"), HasSubstr("must be a text"));
  EXPECT_THAT(mistake_in(first + run), HasSubstr("a.jsonl:2: no experiment 7 came before it"));
  EXPECT_THAT(mistake_in(first + experiment + run + run), HasSubstr("it was cut off"));
  EXPECT_THAT(mistake_in(first + experiment + series), HasSubstr("a.jsonl:3: it can't stand here"));
  EXPECT_THAT(mistake_in(first + experiment + run +
                         R"({"series":{"run_id":"x","key":"k","steps":[],"timestamps":[],"values":[]}})"),
              HasSubstr("a.jsonl:4: a series of run x between those of run r"));
  EXPECT_THAT(mistake_in(first + experiment + run +
                         R"({"series":{"run_id":"r","key":"k","steps":[1],"timestamps":[1,2],"values":[1]}})"),
              HasSubstr("differ in length"));
  EXPECT_THAT(mistake_in(first +
                         R"({"end":{}})"
                         "\n" +
                         experiment),
              HasSubstr("something follows the end"));
  EXPECT_THAT(mistake_in(first + experiment + R"({"end":{"experiments":2}})"), HasSubstr("something is missing"));
  EXPECT_THAT(mistake_in(first + std::string(40, '[')), HasSubstr("a.jsonl:2: no JSON"));
}

TEST_F(Archive, LeavesOutWhatTheStoreRefusesAndTakesTheRest) {
  std::ofstream(file("a.jsonl"))
      << first << experiment
      << R"({"run":{"run_id":"bad id","experiment_id":"7","state":"Completed","reported":true}})"
         "\n"
      << run << series << R"({"end":{"experiments":1,"runs":2,"points":1}})";
  const Taken taken = read(file("a.jsonl"), *to_);
  EXPECT_THAT(taken.left_out, ElementsAre(HasSubstr("'bad id' is no run id")));
  EXPECT_EQ(to_->metric_history("r", "k"), (std::vector<Metric>{{"k", 3, 2, 1}}));
}

TEST_F(Archive, IsNotThereUntilItIsWhole) {
  fill(*from_);
  struct Stop {};
  const auto write_a_part = [&] {
    ArchiveWriter archive(file("a.jsonl"));
    CountedSink counted(archive, [](const Counts& counts) {
      if (counts.runs == 2) throw Stop();
    });
    StoreSource(*from_, {}).give(counted);
  };
  EXPECT_THROW(write_a_part(), Stop);
  EXPECT_TRUE(fs::is_empty(file(".")));
}

TEST_F(Archive, ThatIsEndedInTheMiddleLeavesWholeRuns) {
  fill(*from_);
  write(*from_, file("a.jsonl"));
  struct Stop {};
  StoreSink sink(*to_);
  CountedSink counted(sink, [](const Counts& counts) {
    if (counts.points >= 5) throw Stop();
  });
  EXPECT_THROW(open_source(file("a.jsonl")).source->give(counted), Stop);
  EXPECT_EQ(to_->list_runs({}).runs.size(), 0U);
  read(file("a.jsonl"), *to_);
  expect_same_history(*to_, *from_);
}

TEST_F(Archive, IsOnlyLookedAtInADryRun) {
  fill(*from_);
  write(*from_, file("a.jsonl"));
  LookingSink looking(to_.get());
  open_source(file("a.jsonl")).source->give(looking);
  EXPECT_EQ(to_->list_runs({}).runs.size(), 0U);
  EXPECT_EQ(looking.taken().added, read(file("a.jsonl"), *to_).added);
  LookingSink again(to_.get());
  open_source(file("a.jsonl")).source->give(again);
  EXPECT_EQ(again.taken().runs_here, 6);
  EXPECT_EQ(again.taken().added, Counts());
}

TEST_F(Archive, AStoreIsASourceToo) {
  fill(*from_);
  read(from_folder_.file(), *to_);
  expect_same_history(*to_, *from_);
}

}  // namespace lockstep::history::transfer
