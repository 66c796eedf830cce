#include "cli/output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace lockstep::cli {
namespace {

const Terminal pipe_of_80{.width = 80};

TEST(Output, PrintsAScalarAsTsvWithoutQuotes) {
  EXPECT_EQ(formatted("brave_otter", Format::tsv, pipe_of_80), "brave_otter\n");
  EXPECT_EQ(formatted(true, Format::tsv, pipe_of_80), "true\n");
  EXPECT_EQ(formatted(nullptr, Format::tsv, pipe_of_80), "\n");
}

TEST(Output, PrintsAListAsATsvLinePerElement) {
  EXPECT_EQ(formatted(Json::parse(R"(["a", "b"])"), Format::tsv, pipe_of_80), "a\nb\n");
  EXPECT_EQ(formatted(Json::parse(R"([{"n": "a", "s": 1, "deep": {"x": 1}, "l": 2}, {"n": "b", "s": null}])"),
                      Format::tsv, pipe_of_80),
            "a\t1\t\t2\nb\t\n");
}

TEST(Output, KeepsATsvCellOnItsLine) {
  EXPECT_EQ(formatted(Json::parse(R"([{"a": "x\ty\nz", "b": 1}])"), Format::tsv, pipe_of_80), "x y z\t1\n");
}

TEST(Output, PrintsNothingForNone) { EXPECT_EQ(formatted("x", Format::none, pipe_of_80), ""); }

TEST(Output, PrintsJsonInTheOrderOfItsKeysAndSurvivesBytesThatAreNoUtf8) {
  Json job;
  job["name"] = "a\xff";
  job["b"] = 1;
  EXPECT_EQ(formatted(job, Format::json, pipe_of_80), "{\n  \"name\": \"a\xEF\xBF\xBD\",\n  \"b\": 1\n}\n");
}

// Read back by yaml-cpp's own resolution: every string must come back as the string it was.
TEST(Output, WritesYamlThatReadsBackAsTheSameStrings) {
  const std::vector<std::string> texts = {
      "plain", "true", "No",         "null",   "~",  "12",   "1e3", "0x1f", "",          " pad ",      "a: b", "# no",
      "- x",   "{a}",  "two\nlines", "*alias", "&a", "!tag", "'q'", "\"",   "caf\u00e9", "2026-11-23", ".5",   "y"};
  Json value = Json::array();
  for (const auto& text : texts) value.push_back(text);
  const YAML::Node node = YAML::Load(to_yaml_text({{"texts", value}, {"empty", Json::object()}, {"n", 1.5}}));
  ASSERT_EQ(node["texts"].size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(node["texts"][i].as<std::string>(), texts[i]);
    // A plain scalar has the tag "?": then it must not look like anything but a string.
    const bool quoted = node["texts"][i].Tag() == "!";
    bool flag = false;
    double number = 0;
    EXPECT_TRUE(quoted || (!YAML::convert<bool>::decode(node["texts"][i], flag) &&
                           !YAML::convert<double>::decode(node["texts"][i], number) && !node["texts"][i].IsNull()))
        << texts[i];
  }
  EXPECT_TRUE(node["empty"].IsMap());
  EXPECT_EQ(node["n"].as<double>(), 1.5);
}

TEST(Output, DrawsAListOfObjectsWithAColumnForEveryPlainKey) {
  EXPECT_EQ(formatted(Json::parse(R"([{"name": "a", "deep": {"x": 1}}, {"name": "bc", "steps": 12}])"), Format::table,
                      pipe_of_80),
            "name  steps\n----  -----\na\nbc       12\n");
}

TEST(Output, DrawsAnObjectAsFieldsWithDottedKeys) {
  EXPECT_EQ(formatted(Json::parse(R"({"name": "a", "tags": {"lr": "0.1"}, "none": {}})"), Format::table, pipe_of_80),
            "name:    a\ntags.lr: 0.1\nnone:    {}\n");
}

TEST(Output, DrawsAListInAnObjectWithALinePerElement) {
  EXPECT_EQ(formatted(Json::parse(R"({"h": [{"s": "Queued", "why": null}, {"s": "Running", "why": "now"}], "n": 1})"),
                      Format::table, pipe_of_80),
            "h: Queued\n   Running  now\nn: 1\n");
}

TEST(TextTable, NeverDrawsWiderThanATerminal) {
  Terminal terminal{.is_terminal = true, .utf8 = true, .width = 30};
  const std::string table = text_table({{"NAME", false, false}, {"REASON", false, true}},
                                       {{"brave_otter_k3x9m2pq", "the program exited with 0"}}, terminal);
  EXPECT_THAT(table, ::testing::HasSubstr("brave_otter_k3x9m2pq  the pro…\n"));
  terminal.is_terminal = false;
  EXPECT_THAT(text_table({{"A", false, true}}, {{std::string(200, 'x')}}, terminal),
              ::testing::HasSubstr(std::string(200, 'x')));
}

TEST(TextTable, KeepsControlCharactersFromTheTerminal) {
  EXPECT_EQ(text_table({{"A", false, false}}, {{"x\x1b[2Jy\n"}}, pipe_of_80), "A\n-------\nx?[2Jy?\n");
  EXPECT_EQ(printable("caf\u00e9 \xff \x7f"), "caf\u00e9 ? ?");
}

TEST(Terminal, CountsCharactersAndCutsBetweenThem) {
  EXPECT_EQ(display_width("caf\u00e9"), 4);
  EXPECT_EQ(fit("caf\u00e9s", 4, true), "caf…");
  EXPECT_EQ(fit("caf\u00e9", 4, true), "caf\u00e9");
  EXPECT_EQ(fit("abcdefgh", 5, false), "ab...");
  EXPECT_EQ(fit("abcdefgh", 2, false), "..");
}

}  // namespace
}  // namespace lockstep::cli
