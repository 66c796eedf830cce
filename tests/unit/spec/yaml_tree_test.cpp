// Hostile and odd YAML: bombs, depth, cycles, bytes; and that what is emitted reads back.
#include "launcher/spec/yaml_tree.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace lockstep::spec {
namespace {

std::string refusal(std::string_view text) {
  try {
    parse_yaml(text);
  } catch (const YamlError& e) {
    return fmt::format("{}:{}: {}", e.mark().line, e.mark().column, e.what());
  }
  return "accepted";
}

std::string repeated(std::string_view part, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += part;
  return all;
}

TEST(YamlTree, KnowsThePlaceOfEveryNode) {
  const YamlNode root = parse_yaml("a: 1\nlist:\n  - x\n  - {k: 'v'}\nempty:\nlast: |\n  text\n");
  EXPECT_EQ(root.entries[0].value.mark.column, 4);
  const YamlNode& item = root.find("list")->items[1];
  EXPECT_EQ(item.find("k")->mark.line, 4);
  EXPECT_EQ(item.find("k")->mark.column, 9);
  EXPECT_FALSE(item.find("k")->plain);
  EXPECT_EQ(root.find("empty")->mark.line, 5);  // its key's, not that of what follows
  EXPECT_EQ(root.find("last")->text, "text\n");
}

TEST(YamlTree, EndsABillionLaughsEarly) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i)
    bomb += fmt::format("a{0}: &a{0} [{1}]\n", i, fmt::join(std::vector(9, fmt::format("*a{}", i - 1)), ", "));
  EXPECT_EQ(refusal(bomb), "5:5: more than 100000 values, counting what aliases repeat");
}

TEST(YamlTree, EndsRepeatedLongTextsEarly) {
  const std::string bomb = "- &a " + std::string(100'000, 'x') + "\n" + repeated("- *a\n", 1000);
  EXPECT_EQ(refusal(bomb), "10:3: more than 1048576 bytes, counting what aliases repeat");
}

TEST(YamlTree, EndsAnchorsInsideAnchorsEarly) {
  std::string bomb;
  for (int i = 0; i < 60; ++i) bomb += fmt::format("&a{} [", i);
  bomb += repeated("x,", 50'000) + repeated("]", 60);
  EXPECT_NE(refusal(bomb).find("more than 100000 values"), std::string::npos);
}

TEST(YamlTree, RefusesMoreValuesThanTheLimit) {
  EXPECT_NE(refusal(repeated("- x\n", 100'001)).find("more than 100000 values"), std::string::npos);
  EXPECT_EQ(parse_yaml(repeated("- x\n", 99'999)).items.size(), 99'999U);
}

TEST(YamlTree, RefusesDeepNestingOfEveryStyle) {
  for (const char* part : {"[", "{a: ", "- ", "? ", "[{a: ", "!!seq [", "&x [", "a: [\n"})
    EXPECT_NE(refusal(repeated(part, 2000)).find("nested more than 64 levels deep"), std::string::npos) << part;
  EXPECT_EQ(parse_yaml(repeated("[", 63) + "x" + repeated("]", 63)).height, 64);
  EXPECT_EQ(refusal(repeated("[", 64) + "x" + repeated("]", 64)), "1:65: nested more than 64 levels deep");
}

TEST(YamlTree, RefusesAMebibyteOfOpenBrackets) {
  for (const char* part : {"[", "{a: "}) {
    const std::string text = repeated(part, (std::size_t{1} << 20) / std::string_view(part).size());
    EXPECT_NE(refusal(text).find("nested more than 64 levels deep"), std::string::npos) << part;
  }
}

TEST(YamlTree, SurvivesAnyPartRepeatedForLong) {
  for (const char* part :
       {"[", "{", "]",     "- ",    "? ", "{a: ", "[a: ", "a: ",  "*",  "&",  "!",  "'",   "\"",  "|\n", ">\n",
        "#", "%", "---\n", "...\n", "\n", " ",    "- - ", "a:\n", "[,", "{?", "\\", "&a ", "*a ", "\r",  "@"}) {
    const std::string text = repeated(part, 20'000);
    EXPECT_NE(refusal(text), "") << part;  // some are refused, some are one long text; none ends the process
  }
}

TEST(YamlTree, AliasesAreCopies) {
  const YamlNode root = parse_yaml("base: &b {x: 1}\nother: *b\nthird: [*b, *b]\n");
  EXPECT_EQ(root.find("other")->find("x")->text, "1");
  EXPECT_EQ(root.find("third")->items[1].find("x")->mark.line, 1);      // where its text is
  EXPECT_EQ(root.node_count, 1 + (1 + 3) + (1 + 3) + (1 + 1 + 2 * 3));  // keys count too
}

TEST(YamlTree, DeepAliasesCountAsDeep) {
  const std::string deep = repeated("[", 40) + "x" + repeated("]", 40);
  EXPECT_EQ(refusal("a: &a " + deep + "\nb: " + repeated("[", 30) + "*a" + repeated("]", 30)),
            "2:34: nested more than 64 levels deep");
}

TEST(YamlTree, RefusesCycles) {
  EXPECT_EQ(refusal("&a [*a]"), "1:5: this alias stands inside the node that it names");
  EXPECT_EQ(refusal("a: &x\n  b: &y\n    c: *x\n"), "3:8: this alias stands inside the node that it names");
}

TEST(YamlTree, RefusesBytesThatAreNotUtf8) {
  EXPECT_EQ(refusal("a: \xFF"), "1:4: byte 0xff is not valid UTF-8");
  EXPECT_EQ(refusal("a: b\n# \xC3("), "2:3: byte 0xc3 is not valid UTF-8");
  EXPECT_EQ(refusal("\xC0\x80"), "1:1: byte 0xc0 is not valid UTF-8");          // overlong
  EXPECT_EQ(refusal("\xE0\x80\x80"), "1:1: byte 0xe0 is not valid UTF-8");      // overlong
  EXPECT_EQ(refusal("\xED\xA0\x80"), "1:1: byte 0xed is not valid UTF-8");      // a surrogate
  EXPECT_EQ(refusal("\xF4\x90\x80\x80"), "1:1: byte 0xf4 is not valid UTF-8");  // above U+10FFFF
  EXPECT_EQ(refusal("\xF0\x9F\x98"), "1:1: byte 0xf0 is not valid UTF-8");      // cut short
  EXPECT_EQ(parse_yaml("a: \xF0\x9F\x98\x80").find("a")->text, "\xF0\x9F\x98\x80");
}

TEST(YamlTree, RefusesOtherEncodings) {
  EXPECT_EQ(refusal(std::string_view("\xFF\xFE"
                                     "a\0:\0",
                                     6)),
            "1:1: byte 0xff is not valid UTF-8");
  EXPECT_EQ(refusal(std::string_view("a\0:\0 \0b\0", 8)), "1:2: control character 0x00");
}

TEST(YamlTree, RefusesControlCharacters) {
  EXPECT_EQ(refusal(std::string_view("a: b\0c", 6)), "1:5: control character 0x00");
  EXPECT_EQ(refusal("a: \x1B[31m"), "1:4: control character 0x1b");
  EXPECT_EQ(refusal("a: \"x\\0y\""), "1:4: control character 0x00");  // escaped, but no value may hold it either
  EXPECT_EQ(parse_yaml("a: \"\\e[31m\"\r\nb: c\r\n").find("a")->text, "\x1B[31m");
}

TEST(YamlTree, RefusesMoreThanAMebibyte) {
  EXPECT_EQ(refusal(std::string((1 << 20) + 1, 'a')), "1:1: longer than 1048576 bytes");
  EXPECT_EQ(parse_yaml(std::string(1 << 20, 'a')).text.size(), std::size_t{1} << 20);
}

TEST(YamlTree, TakesCoreTagsAndRefusesOthers) {
  const YamlNode root = parse_yaml("a: !!str 5\nb: !!int 5\nc: ! 5\nd: !!map {}\ne: !!null x\n");
  EXPECT_FALSE(root.find("a")->plain);
  EXPECT_TRUE(root.find("e")->is_null());
  EXPECT_EQ(refusal("a: !mine 5"), "1:4: the tag '!mine' is not allowed; write the value alone");
  EXPECT_NE(refusal("!!python/object/apply:os.system [ls]").find("is not allowed"), std::string::npos);
  EXPECT_NE(refusal("a: !!binary aGk=").find("is not allowed"), std::string::npos);
}

TEST(YamlTree, KeepsTheTextOfEveryScalar) {
  const YamlNode root = parse_yaml("[yes, 010, 1e3, 0x1F, .5, 2001-01-01, 'null', NULL, '']");
  const std::vector<std::string> texts = {"yes", "010", "1e3", "0x1F", ".5", "2001-01-01", "null", "", ""};
  ASSERT_EQ(root.items.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(root.items[i].text, texts[i]);
  EXPECT_TRUE(root.items[6].is_scalar());
  EXPECT_TRUE(root.items[7].is_null());
}

// Same kinds, texts and order; plainness too where it decides what a number is.
void expect_same(const YamlNode& a, const YamlNode& b) {
  ASSERT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.text, b.text);
  ASSERT_EQ(a.items.size(), b.items.size());
  ASSERT_EQ(a.entries.size(), b.entries.size());
  for (std::size_t i = 0; i < a.items.size(); ++i) expect_same(a.items[i], b.items[i]);
  for (std::size_t i = 0; i < a.entries.size(); ++i) {
    EXPECT_EQ(a.entries[i].key.text, b.entries[i].key.text);
    expect_same(a.entries[i].value, b.entries[i].value);
  }
}

TEST(YamlTree, WhatIsEmittedReadsBack) {
  const std::vector<std::string> texts = {"plain",
                                          "",
                                          " ",
                                          "null",
                                          "~",
                                          "true",
                                          "1.5",
                                          "-x",
                                          "- x",
                                          "a: b",
                                          "a #b",
                                          "a:",
                                          ":a",
                                          "'q'",
                                          "\"q\"",
                                          "é",
                                          "|",
                                          "two\nlines\n",
                                          "two\n\nlines\n",
                                          " lead\nlines\n",
                                          "trail \nlines\n",
                                          "no end\nof line",
                                          "tab\there\n",
                                          "\n",
                                          "a\n\n",
                                          "# c\nd\n",
                                          "--- x\ny\n",
                                          "\\n",
                                          "%d",
                                          "@x",
                                          "`x`",
                                          "{a}",
                                          "[a]",
                                          "a, b",
                                          "?",
                                          "? x",
                                          "!t",
                                          "&a",
                                          "*a",
                                          "...",
                                          "---",
                                          "<<",
                                          "\x1b[0m",
                                          "\xC2\x85",
                                          "\xE2\x80\xA8",
                                          "\xEF\xBB\xBF",
                                          "a\r\nb\r\n",
                                          std::string(3000, 'k')};
  YamlNode root = YamlNode::mapping();
  YamlNode list;
  list.kind = YamlNode::Kind::list;
  for (const auto& text : texts) {
    if (text != "<<") root.entries.push_back({YamlNode::scalar(text), YamlNode::scalar(text)});
    list.items.push_back(YamlNode::scalar(text));
  }
  list.items.push_back(list);
  list.items.push_back(YamlNode::mapping());
  list.items.emplace_back();
  list.items.push_back(root);
  root.entries.push_back({YamlNode::scalar("list"), list});
  expect_same(parse_yaml(emit_yaml(root)), root);
  expect_same(parse_yaml(emit_yaml(list)), list);
}

TEST(YamlTree, NumbersKeepOrLackTheirQuotesWhenEmitted) {
  const YamlNode root = parse_yaml("{a: 3.10, b: '3.10', c: true, d: 'true', e: yes}");
  EXPECT_EQ(emit_yaml(root), "a: 3.10\nb: \"3.10\"\nc: true\nd: \"true\"\ne: yes\n");
}

}  // namespace
}  // namespace lockstep::spec
