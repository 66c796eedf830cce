// What MLflow's pages ask is compared with MLflow's own server in tests/clients/differences_test.py; here is what its
// graphql-core would read, by the specification.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "common/error.hpp"
#include "history/server/mlflow/graphql_types.hpp"

namespace lockstep::history::server::mlflow {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

GraphqlOperation parsed(const std::string& text, const json& variables = json::object(), const std::string& name = "") {
  return parse_graphql(text, name, variables);
}

std::string mistake_of(const std::string& text) {
  try {
    parsed(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input) << text;
    return error.what();
  }
  return "none";
}

TEST(GraphqlDocument, HasFieldsWithAliasesAndWhatIsAskedOfThem) {
  const GraphqlOperation query =
      parsed("query GetRun @component(name: \"x\") { a: run { info { id } } # the end\n, two }");
  EXPECT_EQ(query.name, "GetRun");
  EXPECT_FALSE(query.is_mutation);
  ASSERT_EQ(query.fields.size(), 2U);
  EXPECT_EQ(query.fields[0].alias, "a");
  EXPECT_EQ(query.fields[0].name, "run");
  EXPECT_EQ(query.fields[0].fields.at(0).fields.at(0).name, "id");
  EXPECT_EQ(query.fields[1].alias, "two");
  EXPECT_TRUE(query.fields[1].fields.empty());
}

TEST(GraphqlDocument, HasArgumentsOfEveryKind) {
  const auto field =
      parsed(R"({ f(a: 1, b: -2.5e3 c: "x\"\u00e9", d: true, e: null, f: [1, [2]], g: {h: UP}) })").fields.at(0);
  EXPECT_EQ(field.arguments, json::parse(R"({"a": 1, "b": -2500.0, "c": "x\"é", "d": true, "e": null, "f": [1, [2]],
                                             "g": {"h": "UP"}})"));
}

TEST(GraphqlDocument, PutsInVariablesAsGivenOrByDefault) {
  const std::string text =
      "query Q($id: ID!, $most: Int = 5, $order: [String!], $no: Int) { f(id: $id, a: [$most, $no]) }";
  EXPECT_EQ(parsed(text, {{"id", "r"}, {"unused", 1}}).fields.at(0).arguments,
            json::parse(R"({"id": "r", "a": [5, null]})"));
  EXPECT_EQ(parsed(text, {{"most", 7}}).fields.at(0).arguments, json::parse(R"({"id": null, "a": [7, null]})"));
  EXPECT_THAT(mistake_of("{ f(id: $id) }"), HasSubstr("no variable '$id' is defined"));
}

TEST(GraphqlDocument, IsChosenByTheOperationsName) {
  const std::string both = "query A { a } mutation B { b }";
  EXPECT_EQ(parsed(both, json::object(), "A").fields.at(0).name, "a");
  EXPECT_TRUE(parsed(both, json::object(), "B").is_mutation);
  EXPECT_THAT(mistake_of(both), HasSubstr("Must provide operation name"));
  EXPECT_THROW(parsed(both, json::object(), "C"), Error);
  EXPECT_THAT(mistake_of(""), HasSubstr("Must provide operation name"));
}

TEST(GraphqlDocument, SaysWhereItIsNone) {
  EXPECT_EQ(mistake_of("{ a\n  b( }"), "GraphQL, line 2, column 6: a name is expected");
  EXPECT_EQ(mistake_of("{ a"), "GraphQL, line 1, column 4: a name is expected");
  EXPECT_THAT(mistake_of("{ }"), HasSubstr("a field is expected"));
  EXPECT_THAT(mistake_of("{ a(b: \"x) }"), HasSubstr("has no end"));
  EXPECT_THAT(mistake_of("{ a(b: \"\\q\") }"), HasSubstr("no text"));
  EXPECT_THAT(mistake_of("{ a(b: 01) }"), HasSubstr("no number"));
  EXPECT_THAT(mistake_of("subscription { a }"), HasSubstr("a query or a mutation"));
  EXPECT_THAT(mistake_of("{ ...of }"), HasSubstr("fragments are not served"));
  EXPECT_THAT(mistake_of("\xff"), HasSubstr("UTF-8"));
}

TEST(GraphqlDocument, HasLimits) {
  const auto nested = [](int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i) text += "{ a ";
    return text + std::string(static_cast<std::size_t>(levels), '}');
  };
  EXPECT_EQ(mistake_of(nested(10)), "none");
  EXPECT_THAT(mistake_of(nested(11)), HasSubstr("more than 10 levels"));
  EXPECT_THAT(mistake_of(nested(100'000)), HasSubstr("more than 10 levels"));
  EXPECT_THAT(mistake_of("{ a(b: " + std::string(100'000, '[')), HasSubstr("too many lists"));
  EXPECT_THAT(mistake_of("query Q($a: " + std::string(100'000, '[')), HasSubstr("too many lists"));
  std::string many = "{ a { ";
  for (int i = 0; i < 1000; ++i) many += "b ";
  EXPECT_THAT(mistake_of(many + "} }"), HasSubstr("more than 1000 fields"));
  EXPECT_THAT(mistake_of("{ a b c d e f g h i j k }"), HasSubstr("more than 10 fields of the root"));
  EXPECT_THAT(mistake_of("{ r { a:x b:x c:x d:x e:x f:x g:x h:x i:x j:x k:x } }"), HasSubstr("more than 10 aliases"));
}

TEST(GraphqlValue, FillsInWhatTheRestApiLeftOut) {
  const auto none = [](const auto&, const auto&, const json&) { return json(); };
  const auto of = [&](const std::string& type, const json& value, const std::string& fields) {
    return graphql_object(type, value, parsed(fields).fields, none);
  };
  EXPECT_EQ(
      of("MlflowRunInfo", {{"run_id", "r"}, {"start_time", 12}}, "{ __typename id: runId startTime endTime userId }"),
      json::parse(R"({"__typename": "MlflowRunInfo", "id": "r", "startTime": "12", "endTime": "0", "userId": ""})"));
  EXPECT_EQ(of("MlflowRunInputs", json(), "{ datasetInputs { tags { key } } }"),
            json::parse(R"({"datasetInputs": []})"));
  EXPECT_EQ(
      of("MlflowRunData", {{"metrics", {{{"key", "m"}, {"value", "NaN"}}, {{"value", 0.5}}}}}, "{ metrics { value } }"),
      json::parse(R"({"metrics": [{"value": null}, {"value": 0.5}]})"));
  EXPECT_EQ(of("MlflowFileInfo", {{"is_dir", true}}, "{ isDir fileSize }"),
            json::parse(R"({"isDir": true, "fileSize": "0"})"));
  EXPECT_THROW(of("MlflowRunInfo", json(), "{ nothing }"), Error);
  EXPECT_THROW(of("MlflowRunInfo", json(), "{ runId { deeper } }"), Error);
  EXPECT_THROW(of("MlflowRunData", json(), "{ metrics }"), Error);
}

}  // namespace
}  // namespace lockstep::history::server::mlflow
