#include <gmock/gmock.h>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DatasetInput input_of(const std::string& name, const std::string& digest, std::vector<KeyValue> tags = {}) {
  return {{name, digest, "local", "{\"uri\": \"data\"}", "schema of " + name, "profile of " + name}, std::move(tags)};
}

class StoreDatasets : public ::testing::Test {
 protected:
  void SetUp() override {
    store_->create_run(new_run("a"));
    store_->create_run(new_run("b"));
    store_->create_run(new_run("c", store_->create_experiment("other", "", {}).experiment_id));
  }
  std::string mistake_of(const DatasetInput& input) {
    const Error error = error_of([&] { store_->log_inputs("a", {input_of("fine", "1"), input}, {}); });
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    EXPECT_THAT(store_->get_full_run("a").datasets, IsEmpty());
    return error.what();
  }

  StoreFolder folder_;
  const std::unique_ptr<Store> store_ = folder_.open();
};

TEST_F(StoreDatasets, AreGivenBackAsTheyWereLogged) {
  const DatasetInput train = input_of("mnist", "1f", {{"mlflow.data.context", "training"}, {"who", "ada"}});
  DatasetInput plain = input_of("mnist", "2f");
  plain.dataset.schema = plain.dataset.profile = "";
  store_->log_inputs("a", {train, plain}, {});
  EXPECT_THAT(folder_.open()->get_full_run("a").datasets, ElementsAre(train, plain));
  EXPECT_THAT(store_->get_full_run("b").datasets, IsEmpty());
}

TEST_F(StoreDatasets, AreOneForNameAndDigestInAnExperimentAndKeepWhatCameFirst) {
  const DatasetInput first = input_of("mnist", "1f", {{"mlflow.data.context", "training"}});
  DatasetInput second = input_of("mnist", "1f", {{"mlflow.data.context", "test"}});
  second.dataset.source = "elsewhere";
  store_->log_inputs("a", {first, second}, {});
  store_->log_inputs("a", {second}, {});
  EXPECT_THAT(store_->get_full_run("a").datasets, ElementsAre(first));
  store_->log_inputs("b", {second}, {});
  EXPECT_THAT(store_->get_full_run("b").datasets, ElementsAre(DatasetInput{first.dataset, second.tags}));
  store_->log_inputs("c", {second}, {});
  EXPECT_THAT(store_->get_full_run("c").datasets, ElementsAre(second));
}

TEST_F(StoreDatasets, AreSummedUpWithEveryContextTheyWereUsedIn) {
  store_->log_inputs("a", {input_of("x", "1", {{"mlflow.data.context", "training"}}), input_of("y", "1")}, {});
  store_->log_inputs("b", {input_of("x", "1", {{"mlflow.data.context", "test"}}), input_of("y", "1")}, {});
  store_->log_inputs("c", {input_of("x", "1", {{"note", "no context"}})}, {});
  const DatasetSummary test{"0", "x", "1", "test"};
  const DatasetSummary training{"0", "x", "1", "training"};
  const DatasetSummary plain{"0", "y", "1", ""};
  const DatasetSummary other{"1", "x", "1", ""};
  EXPECT_THAT(store_->dataset_summaries({"0"}), ElementsAre(test, training, plain));
  EXPECT_THAT(store_->dataset_summaries({"1", "0", "1", "99"}), ElementsAre(test, training, plain, other));
  EXPECT_THAT(store_->dataset_summaries({}), IsEmpty());
  EXPECT_EQ(error_of([&] { store_->dataset_summaries({"x"}); }).code(), ExitCode::bad_input);
}

TEST_F(StoreDatasets, AreSummedUpToAThousand) {
  std::vector<DatasetInput> many;
  for (int i = 0; i < 1001; ++i) many.push_back(input_of("x", std::to_string(i)));
  store_->log_inputs("a", many, {});
  EXPECT_EQ(store_->dataset_summaries({"0"}).size(), 1000U);
}

// The limits of MLflow's validation, as literals.
TEST_F(StoreDatasets, AreRefusedWhenTheyAreTooLongAndThenNothingIsWritten) {
  DatasetInput input = input_of("x", "1");
  input.dataset.name = std::string(501, 'n');
  EXPECT_EQ(mistake_of(input), "'name' exceeds the maximum length of 500 characters");
  input = input_of("x", std::string(37, 'd'));
  EXPECT_EQ(mistake_of(input), "'digest' exceeds the maximum length of 36 characters");
  input = input_of("x", "1");
  input.dataset.source = std::string(65'536, 's');
  EXPECT_EQ(mistake_of(input), "'source' exceeds the maximum length of 65535 characters");
  input = input_of("x", "1");
  input.dataset.schema = std::string(1'048'576, 's');
  EXPECT_EQ(mistake_of(input), "'schema' exceeds the maximum length of 1048575 characters");
  input = input_of("x", "1");
  input.dataset.profile = std::string(16'777'216, 'p');
  EXPECT_EQ(mistake_of(input), "'profile' exceeds the maximum length of 16777215 characters");
  EXPECT_EQ(mistake_of(input_of("x", "1", {{std::string(256, 'k'), ""}})),
            "'key' exceeds the maximum length of 255 characters");
  EXPECT_EQ(mistake_of(input_of("x", "1", {{"k", std::string(501, 'v')}})),
            "'value' exceeds the maximum length of 500 characters");
  EXPECT_EQ(mistake_of(input_of("\xFF", "1")), "'name' is not valid UTF-8");
  store_->log_inputs("a", {input_of(std::string(500, 'n'), std::string(36, 'd'))}, {});
  EXPECT_EQ(store_->get_full_run("a").datasets.size(), 1U);
}

TEST_F(StoreDatasets, StandBesideTheModelsThatARunReadAndWrote) {
  store_->log_inputs("a", {}, {{"m-2", 0}, {"m-1", 0}, {"m-2", 0}});
  store_->log_outputs("a", {{"m-3", 7}, {"m-3", 5}});
  store_->log_outputs("a", {{"m-3", 7}, {"m-1", 1}});
  const FullRun run = store_->get_full_run("a");
  EXPECT_THAT(run.models_in, ElementsAre(ModelUse{"m-1", 0}, ModelUse{"m-2", 0}));
  EXPECT_THAT(run.models_out, ElementsAre(ModelUse{"m-1", 1}, ModelUse{"m-3", 5}, ModelUse{"m-3", 7}));
  EXPECT_THAT(store_->get_full_run("b").models_in, IsEmpty());
}

TEST_F(StoreDatasets, BelongToARunThatIsThere) {
  EXPECT_EQ(error_of([&] { store_->log_inputs("x", {}, {}); }).code(), ExitCode::not_found);
  EXPECT_EQ(error_of([&] { store_->log_outputs("x", {}); }).code(), ExitCode::not_found);
  EXPECT_EQ(error_of([&] { store_->get_full_run("x"); }).code(), ExitCode::not_found);
}

TEST_F(StoreDatasets, ComeWithEverythingElseOfAFullRun) {
  const Metric metrics[] = {{"loss", 2, 1, 1}, {"loss", 1, 2, 2}, {"acc", 0.5, 1, 1}};
  const KeyValue pair{"k", "v"};
  store_->log_batch("c", metrics, {&pair, 1}, {&pair, 1});
  const FullRun run = store_->get_full_run("c");
  EXPECT_EQ(run.run.run_id, "c");
  EXPECT_EQ(run.run.experiment_name, "other");
  EXPECT_THAT(run.metrics, ElementsAre(Metric{"acc", 0.5, 1, 1}, Metric{"loss", 1, 2, 2}));
  EXPECT_THAT(run.params, ElementsAre(pair));
  EXPECT_THAT(run.tags, ElementsAre(pair));
}

}  // namespace
}  // namespace lockstep::history
