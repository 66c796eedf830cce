#include "runner/checkpoint/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/error.hpp"
#include "runner/checkpoint/manifest.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/runner/fake_model.hpp"

namespace lockstep::runner {

using lockstep::testing::FakeModel;
using lockstep::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {
std::map<std::string, std::string> same() { return {{"--seed", "1"}}; }

ModelSpec small(int classes = 3) {
  ModelSpec spec;
  spec.input = {1, 2, 2};
  spec.classes = classes;
  return spec;
}

struct Training {
  explicit Training(const ModelSpec& spec = small(), const std::string& name = "sgd")
      : model(spec), optimizer(make_optimizer({name, 0.9, 0.999, 0.01, 0}, model, whole(model))) {}

  void fill(float first) {
    float next = first;
    for (const TensorInfo& tensor : model.tensors()) {
      for (std::size_t i = 0; i < tensor.count; ++i) model.parameters()[tensor.offset + i] = next++;
      for (const auto& state : optimizer->state()) {
        for (std::size_t i = 0; i < tensor.count; ++i) state.values[tensor.offset + i] = next++;
      }
    }
  }
  std::vector<float> numbers() {
    std::vector<float> all(model.parameters().begin(), model.parameters().end());
    for (const auto& state : optimizer->state()) all.insert(all.end(), state.values.begin(), state.values.end());
    return all;
  }
  fs::path save(const fs::path& folder, std::int64_t step, int keep = 10) {
    TrainingState state(*collective, model, *optimizer);
    return save_checkpoint(folder, {{step, 1.0 / 3, 7}, 2, "avx2", same(), {{"lr", "0.1"}}}, state, keep);
  }

  std::unique_ptr<Collective> collective = make_single_collective();
  FakeModel model;
  std::unique_ptr<Optimizer> optimizer;
};

struct Latest {
  explicit Latest(const fs::path& folder, Training& training) {
    const Say say = [this](const std::string& line) { lines.push_back(line); };
    TrainingState state(*training.collective, training.model, *training.optimizer);
    found = load_latest_complete_checkpoint(folder, same(), state, say);
  }
  std::int64_t step() const { return found ? found->facts.position.step : -1; }
  std::optional<LoadedCheckpoint> found;
  std::vector<std::string> lines;
};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}
}  // namespace

TEST(Checkpoint, BringsEverythingBack) {
  for (const char* optimizer : {"sgd", "adamw"}) {
    const TemporaryFolder folder;
    Training saved(small(), optimizer);
    saved.fill(1);
    saved.save(folder.path(), 42);
    Training resumed(small(), optimizer);
    const Latest latest(folder.path(), resumed);
    ASSERT_EQ(latest.step(), 42);
    EXPECT_EQ(resumed.numbers(), saved.numbers());
    const CheckpointFacts facts = latest.found.value_or(LoadedCheckpoint{}).facts;
    EXPECT_EQ(facts.position.epoch_loss_sum, 1.0 / 3);
    EXPECT_EQ(facts.position.epoch_images, 7);
    EXPECT_EQ(facts.ranks, 2);
    EXPECT_EQ(facts.isa_used, "avx2");
    EXPECT_EQ(facts.options.at("lr"), "0.1");
  }
}

TEST(Checkpoint, ConsistsOfThreeFilesAndLeavesNothingElse) {
  const TemporaryFolder folder;
  Training training;
  EXPECT_EQ(training.save(folder.path(), 5), folder / "step-00000005");
  EXPECT_THAT(names_in(folder / "step-00000005"),
              ElementsAre("manifest.json", "model.safetensors", "optimizer.safetensors"));
}

TEST(Checkpoint, TheNewestOneCountsByNumberNotByName) {
  const TemporaryFolder folder;
  Training training;
  for (const std::int64_t step : {999999999, 5, 1000000000}) training.save(folder.path(), step);
  EXPECT_EQ(Latest(folder.path(), training).step(), 1000000000);
}

TEST(Checkpoint, KeepsTheNewestOnes) {
  const TemporaryFolder folder;
  Training training;
  fs::create_directories(folder / "step-00000015");  // never completed
  fs::create_directories(folder / "notes");
  for (const std::int64_t step : {10, 20, 30, 40}) training.save(folder.path(), step, 2);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("notes", "step-00000030", "step-00000040"));
}

TEST(Checkpoint, PassesOverIncompleteAndDamagedOnesAndSaysSo) {
  const TemporaryFolder folder;
  Training saved;
  saved.fill(1);
  for (const std::int64_t step : {10, 20, 30, 40, 50}) saved.save(folder.path(), step);
  fs::remove(folder / "step-00000050" / "manifest.json");
  std::ofstream(folder / "step-00000040" / "model.safetensors", std::ios::app) << "x";
  std::fstream flip(folder / "step-00000030" / "optimizer.safetensors", std::ios::in | std::ios::out);
  flip.seekp(-1, std::ios::end);
  flip.put('!');
  flip.close();
  std::ofstream(folder / "step-00000020" / "manifest.json") << "{";
  Training resumed;
  const Latest latest(folder.path(), resumed);
  EXPECT_EQ(latest.step(), 10);
  EXPECT_EQ(resumed.numbers(), saved.numbers());
  EXPECT_THAT(latest.lines,
              ElementsAre(HasSubstr("step-00000050: it has no manifest"), HasSubstr("its manifest says"),
                          HasSubstr("its SHA-256 is not the manifest's"), HasSubstr("manifest.json: damaged")));
}

TEST(Checkpoint, NamesEveryMismatchAndChangesNothing) {
  const TemporaryFolder folder;
  Training saved(small(3), "sgd");
  saved.save(folder.path(), 1);
  Training other(small(4), "adamw");
  other.fill(100);
  const auto before = other.numbers();
  TrainingState state(*other.collective, other.model, *other.optimizer);
  try {
    load_latest_complete_checkpoint(folder.path(), {{"--seed", "2"}}, state, {});
    FAIL() << "it fitted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    for (const char* part : {"--seed was 1, here 2", "tensor dense.weight is (3, 4), here (4, 4)",
                             "tensor m.dense.weight is missing", "tensor velocity.dense.bias is unknown here"}) {
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }
  EXPECT_EQ(other.numbers(), before);
}

TEST(Checkpoint, NoFolderMeansNoCheckpoint) {
  const TemporaryFolder folder;
  Training training;
  EXPECT_EQ(Latest(folder / "none", training).step(), -1);
  TrainingState state(*training.collective, training.model, *training.optimizer);
  EXPECT_THROW(load_checkpoint(folder / "none", same(), state), Error);
}

TEST(Checkpoint, AnotherVersionIsNotRead) {
  const std::string text = write_manifest({{{1, 0, 0}, 1, {}, {}, {}}, {{model_file, {}}, {optimizer_file, {}}}});
  EXPECT_EQ(parse_manifest(text, "m").facts.position.step, 1);
  EXPECT_EQ(text.find("isa_used"), std::string::npos);  // of GPUs; nor do older ones have it
  EXPECT_EQ(parse_manifest(text, "m").facts.isa_used, "");
  std::string newer = text;
  newer.replace(newer.find("\"version\": 1"), 12, "\"version\": 2");
  EXPECT_THROW(parse_manifest(newer, "m"), Error);
}

}  // namespace lockstep::runner
