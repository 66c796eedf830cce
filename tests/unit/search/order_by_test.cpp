#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "history/search/filter.hpp"

namespace lockstep::history {
namespace {

using ::testing::ElementsAre;

SortKey key(Field field, const std::string& name, bool ascending) { return {field, name, ascending, {}, {}}; }

std::string mistake_in_order(Kind kind, const std::vector<std::string>& texts) {
  try {
    parse_order_by(kind, texts);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    return error.what();
  }
  return "";
}

TEST(OrderBy, SortsRunsByWhatTheyHave) {
  EXPECT_TRUE(parse_order_by(Kind::runs, {}).empty());
  EXPECT_THAT(parse_order_by(Kind::runs, {"metrics.loss", "metrics.\"a b\" desc", "params.lr ASC", "tags.mlflow.user",
                                          "created DESC", "attributes.status"}),
              ElementsAre(key(Field::metric, "loss", true), key(Field::metric, "a b", false),
                          key(Field::param, "lr", true), key(Field::tag, "mlflow.user", true),
                          key(Field::attribute, "start_time", false), key(Field::attribute, "status", true)));
}

TEST(OrderBy, SortsOtherThingsByTheirAttributes) {
  EXPECT_THAT(parse_order_by(Kind::experiments, {"last_update_time DESC"}),
              ElementsAre(key(Field::attribute, "last_update_time", false)));
  EXPECT_THAT(parse_order_by(Kind::registered_models, {"timestamp DESC", "name"}),
              ElementsAre(key(Field::attribute, "last_updated_timestamp", false), key(Field::attribute, "name", true)));
  EXPECT_THAT(parse_order_by(Kind::model_versions, {"version_number DESC"}),
              ElementsAre(key(Field::attribute, "version_number", false)));
  EXPECT_THAT(parse_order_by(Kind::logged_models, {"metrics.acc DESC"}), ElementsAre(key(Field::metric, "acc", false)));
}

TEST(OrderBy, RefusesWhatCannotBeSortedBy) {
  for (const std::string text :
       {"", "DESC", "metrics.a b", "metrics.a FOO", "metrics.a DESC ASC", "metrics.a, metrics.b", "dataset.name",
        "experiment_id", "foo", "foo.bar", "metrics.a DESC NULLS LAST"}) {
    EXPECT_NE(mistake_in_order(Kind::runs, {text}), "") << text;
  }
  EXPECT_EQ(mistake_in_order(Kind::experiments, {"tags.a"}), "Invalid order_by entity: tag");
  EXPECT_NE(mistake_in_order(Kind::registered_models, {"creation_timestamp"}), "");
  EXPECT_NE(mistake_in_order(Kind::model_versions, {"source_path"}), "");
  EXPECT_NE(mistake_in_order(Kind::logged_models, {"params.a"}), "");
  EXPECT_EQ(mistake_in_order(Kind::runs, {"start_time", "metrics.a", "created DESC"}),
            "`order_by` contains duplicate fields: 'created DESC'");
  std::vector<std::string> many;
  for (int i = 0; i < 31; ++i) many.push_back("metrics.m" + std::to_string(i));
  EXPECT_NE(mistake_in_order(Kind::runs, many), "");
  many.pop_back();
  EXPECT_EQ(mistake_in_order(Kind::runs, many), "");
}

TEST(OrderBy, TakesALoggedModelsMetricAsItIsNamed) {
  EXPECT_EQ(logged_model_sort_key("metrics.top 5 a-b", false), key(Field::metric, "top 5 a-b", false));
  EXPECT_EQ(logged_model_sort_key("creation_time", true), key(Field::attribute, "creation_timestamp", true));
  EXPECT_THROW(logged_model_sort_key("params.a", true), Error);
  EXPECT_THROW(logged_model_sort_key("foo", true), Error);
}

}  // namespace
}  // namespace lockstep::history
