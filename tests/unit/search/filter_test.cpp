#include "history/search/filter.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace lockstep::history {
namespace {

using enum Comparison;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Texts = std::vector<std::string>;

std::string mistake_in(Kind kind, const std::string& text) {
  try {
    parse_filter(kind, text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input) << text;
    return error.what();
  }
  return "";
}

struct Row {
  std::string text;
  Clause clause;
};

void expect_clauses(Kind kind, const std::vector<Row>& table) {
  for (const Row& each : table) {
    EXPECT_EQ(mistake_in(kind, each.text), "") << each.text;
    if (mistake_in(kind, each.text).empty()) {
      EXPECT_THAT(parse_filter(kind, each.text), ElementsAre(each.clause)) << each.text;
    }
  }
}

TEST(RunFilter, NamesWhatARunHas) {
  expect_clauses(Kind::runs,
                 {
                     {"metrics.loss < 0.1", {Field::metric, "loss", less, 0.1}},
                     {"metric.loss<=1", {Field::metric, "loss", less_or_equal, 1.0}},
                     {"metrics.a.b.c >= -2e-3", {Field::metric, "a.b.c", greater_or_equal, -2e-3}},
                     {"metrics.\"a b/c\" != .5", {Field::metric, "a b/c", not_equal, 0.5}},
                     {"metrics.1st > 1.", {Field::metric, "1st", greater, 1.0}},
                     {"metrics.\xC3\xA9 = 7", {Field::metric, "\xC3\xA9", equal, 7.0}},
                     {"params.lr = '0.1'", {Field::param, "lr", equal, "0.1"}},
                     {"parameters.`learning rate` LIKE \"%e-_\"", {Field::param, "learning rate", like, "%e-_"}},
                     {"param.lr ilike 'A%'", {Field::param, "lr", ilike, "A%"}},
                     {"parameter.lr IS NULL", {Field::param, "lr", is_null, ""}},
                     {"tags.mlflow.user = 'al'", {Field::tag, "mlflow.user", equal, "al"}},
                     {"tag.`mlflow.user` != ''", {Field::tag, "mlflow.user", not_equal, ""}},
                     {"tags.a is not null", {Field::tag, "a", is_not_null, ""}},
                     {"attributes.status = 'RUNNING'", {Field::attribute, "status", equal, "RUNNING"}},
                     {"attr.run_name LIKE 'x'", {Field::attribute, "run_name", like, "x"}},
                     {"run.user_id = \"x\"", {Field::attribute, "user_id", equal, "x"}},
                     {"`run name` = 'x'", {Field::attribute, "run_name", equal, "x"}},
                     {"attribute.\"Run Name\" = 'x'", {Field::attribute, "run_name", equal, "x"}},
                     {"Created > 1764000000000", {Field::attribute, "start_time", greater, 1764000000000.0}},
                     {"end_time < 1.5", {Field::attribute, "end_time", less, 1.5}},
                     {"run_id IN ('a', \"b\",)", {Field::attribute, "run_id", in, Texts{"a", "b"}}},
                     {"run_id not in('a')", {Field::attribute, "run_id", not_in, Texts{"a"}}},
                     {"artifact_uri ILIKE 's3%'", {Field::attribute, "artifact_uri", ilike, "s3%"}},
                     {"datasets.name = 'mnist'", {Field::dataset, "name", equal, "mnist"}},
                     {"dataset.digest LIKE 'a%'", {Field::dataset, "digest", like, "a%"}},
                     {"dataset.context IN ('train')", {Field::dataset, "context", in, Texts{"train"}}},
                 });
}

TEST(RunFilter, TakesTextsAsTheyAreWritten) {
  const auto value_of = [](const std::string& written) {
    return std::get<std::string>(parse_filter(Kind::runs, "params.p = " + written).at(0).value);
  };
  EXPECT_EQ(value_of("'it''s'"), "it''s");
  EXPECT_EQ(value_of(R"('it\'s')"), R"(it\'s)");
  EXPECT_EQ(value_of(R"('C:\')"), R"(C:\)");
  EXPECT_EQ(value_of("\"a'b AND c\""), "a'b AND c");
  EXPECT_EQ(value_of("' \n'"), " \n");
}

TEST(RunFilter, JoinsClausesByAnd) {
  EXPECT_TRUE(parse_filter(Kind::runs, "").empty());
  EXPECT_TRUE(parse_filter(Kind::runs, " \t\n").empty());
  EXPECT_THAT(parse_filter(Kind::runs, "metrics.a>1 and\nparams.b='x'AND tags.c IS NULL And status!='y'"),
              ElementsAre(Clause{Field::metric, "a", greater, 1.0}, Clause{Field::param, "b", equal, "x"},
                          Clause{Field::tag, "c", is_null, ""}, Clause{Field::attribute, "status", not_equal, "y"}));
}

TEST(RunFilter, RefusesWhatMlflowRefuses) {
  for (const std::string text : {"metrics.loss > '1'",
                                 "metrics.loss > inf",
                                 "metrics.loss > +1",
                                 "metrics.loss > 0x10",
                                 "metrics.loss LIKE 'a'",
                                 "metrics.loss IN (1)",
                                 "metrics.loss IS NULL",
                                 "metrics.loss == 1",
                                 "metrics.loss <> 1",
                                 "metrics.a b > 1",
                                 "metrics.a/b > 1",
                                 "metrics.a-b > 1",
                                 "metrics > 1",
                                 "metrics.a",
                                 "metrics.a >",
                                 "> 1",
                                 "metrics.a > metrics.b",
                                 "1 < metrics.a",
                                 "(metrics.a > 1)",
                                 "NOT metrics.a > 1",
                                 "metrics.a > 1 OR metrics.b > 1",
                                 "metrics.a > 1;",
                                 "metrics.a > 1; metrics.b > 1",
                                 "metrics.a > - 1",
                                 "metrics.a > 1_000",
                                 "params.lr = 0.1",
                                 "params.lr = abc",
                                 "params.lr = `abc`",
                                 "params.lr > '1'",
                                 "params.lr NOT LIKE 'a'",
                                 "params.lr RLIKE 'a'",
                                 "params.lr IN ('a')",
                                 "params.lr NOT NULL",
                                 "params.lr = 'unclosed",
                                 "params.lr BETWEEN 'a' AND 'b'",
                                 "'a' = params.a",
                                 "params.`a`b` = 'x'",
                                 "\"tags\".a = 'x'",
                                 "status > 'x'",
                                 "status IN ('x')",
                                 "status IS NULL",
                                 "Status = 'x'",
                                 "start_time > '5'",
                                 "start_time LIKE '5'",
                                 "run_name IN ('x')",
                                 "run_id IN ()",
                                 "run_id IN (1)",
                                 "run_id IN 'x'",
                                 "run_id = ('x')",
                                 "lifecycle_stage = 'active'",
                                 "experiment_id = '0'",
                                 "name = 'x'",
                                 "dataset.source = 'x'",
                                 "dataset.name > 'x'",
                                 "dataset.name IS NULL",
                                 "foo.a = 'x'",
                                 "foo = 'x'"}) {
    EXPECT_NE(mistake_in(Kind::runs, text), "") << text;
  }
}

// Which MLflow lets pass, and we don't: a slip of the pen is told.
TEST(RunFilter, RefusesClausesThatAreNotJoinedByOneAnd) {
  for (const std::string text : {"metrics.a > 1 metrics.b > 1", "AND metrics.a > 1", "metrics.a > 1 AND",
                                 "metrics.a > 1 AND AND metrics.b > 1", "metrics. > 1", "tags.a.\"b\" = 'x'"}) {
    EXPECT_NE(mistake_in(Kind::runs, text), "") << text;
  }
}

TEST(RunFilter, SaysInMlflowsWordsWhatIsWrong) {
  EXPECT_EQ(mistake_in(Kind::runs, "params.lr = 0.1"),
            "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 0.1");
  EXPECT_EQ(mistake_in(Kind::runs, "metrics.a > 'x'"), "Expected numeric value type for metric. Found 'x'");
  EXPECT_EQ(mistake_in(Kind::runs, "start_time > 'x'"),
            "Expected numeric value type for numeric attribute: start_time. Found 'x'");
  EXPECT_EQ(mistake_in(Kind::runs, "params.a = x"),
            "Parameter value is either not quoted or unidentified quote types used for string value x. Use either "
            "single or double quotes.");
  EXPECT_EQ(mistake_in(Kind::runs, "foo.a = 'x'"),
            "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']");
  EXPECT_EQ(mistake_in(Kind::runs, "params.a < 'x'"),
            "Invalid comparator '<' not one of '{'!=', '=', 'ILIKE', 'IS NOT NULL', 'IS NULL', 'LIKE'}'");
  EXPECT_THAT(mistake_in(Kind::runs, "foo = 'x'"), HasSubstr("Invalid attribute key 'foo' specified. Valid keys are"));
  EXPECT_THAT(mistake_in(Kind::runs, "metrics.a > 1 OR metrics.b > 1"),
              HasSubstr("Invalid clause(s) in filter string: 'OR'"));
}

TEST(RunFilter, HasLimits) {
  const auto clauses = [](std::size_t count) {
    std::string text = "metrics.a > 1";
    for (std::size_t i = 1; i < count; ++i) text += " AND metrics.a > 1";
    return text;
  };
  EXPECT_EQ(parse_filter(Kind::runs, clauses(100)).size(), 100U);
  EXPECT_EQ(mistake_in(Kind::runs, clauses(101)), "a filter may have 100 clauses; this one has more");
  const auto list = [](std::size_t count) {
    std::string text = "run_id IN ('a'";
    for (std::size_t i = 1; i < count; ++i) text += ",'a'";
    return text + ")";
  };
  EXPECT_EQ(std::get<Texts>(parse_filter(Kind::runs, list(1000)).at(0).value).size(), 1000U);
  EXPECT_EQ(mistake_in(Kind::runs, list(1001)), "a list may have 1000 values; this one has more");
  const std::string longest = "params.a = '" + std::string(65536 - 13, 'x') + "'";
  EXPECT_EQ(mistake_in(Kind::runs, longest), "");
  EXPECT_EQ(mistake_in(Kind::runs, longest + " "), "a filter may have 65536 bytes; this one has 65537");
  EXPECT_NE(mistake_in(Kind::runs, "params.a = '\xFF'"), "");
  EXPECT_NE(mistake_in(Kind::runs, "metrics.a > 1e999"), "");
}

TEST(ExperimentFilter, NamesWhatAnExperimentHas) {
  expect_clauses(Kind::experiments,
                 {{"name ILIKE '%x'", {Field::attribute, "name", ilike, "%x"}},
                  {"attribute.name = 'x'", {Field::attribute, "name", equal, "x"}},
                  {"experiment_id IN ('1', '2')", {Field::attribute, "experiment_id", in, Texts{"1", "2"}}},
                  {"creation_time > 5", {Field::attribute, "creation_time", greater, 5.0}},
                  {"last_update_time <= 5", {Field::attribute, "last_update_time", less_or_equal, 5.0}},
                  {"tags.`a b` IS NOT NULL", {Field::tag, "a b", is_not_null, ""}},
                  {"tag.a != 'x'", {Field::tag, "a", not_equal, "x"}}});
  for (const std::string text :
       {"name IN ('x')", "name > 'x'", "experiment_id = 1", "experiment_id LIKE '1'", "creation_time > 5.5",
        "creation_time > '5'", "attributes.name = 'x'", "params.a = 'x'", "name IS NULL", "tags.a IN ('x')"}) {
    EXPECT_NE(mistake_in(Kind::experiments, text), "") << text;
  }
}

TEST(ModelFilter, NamesWhatModelsAndVersionsHave) {
  expect_clauses(Kind::registered_models, {{"name NOT IN ('x')", {Field::attribute, "name", not_in, Texts{"x"}}},
                                           {"tags.a ilike 'x'", {Field::tag, "a", ilike, "x"}}});
  expect_clauses(Kind::model_versions,
                 {{"run_id IN ('x')", {Field::attribute, "run_id", in, Texts{"x"}}},
                  {"version_number >= 2", {Field::attribute, "version_number", greater_or_equal, 2.0}},
                  {"version_number = '2'", {Field::attribute, "version_number", equal, 2.0}},
                  {"source_path LIKE 'x'", {Field::attribute, "source_path", like, "x"}}});
  for (const Kind kind : {Kind::registered_models, Kind::model_versions}) {
    for (const std::string text : {"name > 'x'", "tags.a IS NULL", "tags.a IN ('x')", "creation_timestamp > 5",
                                   "version_number > 1.5", "version_number = 'x'", "source_path IN ('x')"}) {
      EXPECT_NE(mistake_in(kind, text), "") << text;
    }
  }
}

TEST(LoggedModelFilter, NamesWhatALoggedModelHas) {
  expect_clauses(Kind::logged_models,
                 {{"creation_time > 5", {Field::attribute, "creation_timestamp", greater, 5.0}},
                  {"last_updated_timestamp_ms < 5", {Field::attribute, "last_updated_timestamp", less, 5.0}},
                  {"attributes.model_type IN ('a')", {Field::attribute, "model_type", in, Texts{"a"}}},
                  {"metrics.`a b` > 1", {Field::metric, "a b", greater, 1.0}},
                  {"params.lr = 0.01", {Field::param, "lr", equal, "0.01"}},
                  {"tags.a NOT IN ('x')", {Field::tag, "a", not_in, Texts{"x"}}}});
  for (const std::string text : {"metric.a > 1", "tag.a = 'x'", "tags.a IS NULL", "params.a > 'x'", "foo = 'x'"}) {
    EXPECT_NE(mistake_in(Kind::logged_models, text), "") << text;
  }
  EXPECT_EQ(mistake_in(Kind::logged_models, "metric.a > 1"),
            "Invalid entity type 'metric'. Expected one of ['attributes', 'metrics', 'params', 'tags']");
}

}  // namespace
}  // namespace lockstep::history
