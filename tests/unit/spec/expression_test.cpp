#include "launcher/spec/expression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace lockstep::spec {
namespace {

using ::testing::ElementsAre;

std::vector<Reference> found_in(std::string_view text) {
  return references_in(text, [](std::size_t, const std::string& what) { ADD_FAILURE() << what; });
}

std::optional<std::string> lookup(const std::vector<std::string>& path) {
  if (path == std::vector<std::string>{"name"}) return "run_7";
  if (path == std::vector<std::string>{"inputs", "lr"}) return "0.1";
  if (path == std::vector<std::string>{"inputs", "text"}) return "${{inputs.lr}} ]] $[[";
  return std::nullopt;
}

TEST(Expressions, AreFoundWithTheirPlaces) {
  const auto found = found_in("a ${{inputs.lr}} ${{ \toutputs.my-model }}$[[--x ${{name}}]]");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_THAT(found[0].path, ElementsAre("inputs", "lr"));
  EXPECT_EQ(found[0].begin, 2U);
  EXPECT_EQ(found[0].end, 16U);
  EXPECT_FALSE(found[0].in_optional);
  EXPECT_THAT(found[1].path, ElementsAre("outputs", "my-model"));
  EXPECT_EQ(found[1].begin, 17U);
  EXPECT_THAT(found[2].path, ElementsAre("name"));
  EXPECT_TRUE(found[2].in_optional);
}

TEST(Expressions, AreNotFoundInWhatTheShellUses) {
  for (const char* text : {"", "$", "${", "${x}", "$((1+2))", "[[ -f x ]] && echo", "${x[0]}", "}}", "a]]b", "$ {{x}}",
                           "{{x}}", "awk '{print $1}'", "${#x}"})
    EXPECT_TRUE(found_in(text).empty()) << text;
}

TEST(Expressions, MalformedOnesAreReportedWhereTheyBegin) {
  struct Case {
    const char* text;
    std::vector<std::size_t> offsets;
  };
  const std::vector<Case> cases = {
      {"ab ${{inputs.x", {3}}, {"${{}}", {0}},        {"${{ }} ${{x..y}}", {0, 7}}, {"${{a ${{b}}", {0}},
      {"$[[ x", {0}},          {"$[[ $[[ x ]]", {4}}, {"${{inputs.é}}", {0}},       {"${{.x}} ${{x.}}", {0, 8}},
      {"$[[ ${{x}", {4, 0}}};
  for (const auto& each : cases) {
    std::vector<std::size_t> offsets;
    references_in(each.text, [&](std::size_t offset, const std::string&) { offsets.push_back(offset); });
    EXPECT_EQ(offsets, each.offsets) << each.text;
  }
}

TEST(Expressions, AreReplaced) {
  EXPECT_EQ(resolve("--lr ${{inputs.lr}} --name=${{ name }}!", lookup), "--lr 0.1 --name=run_7!");
  EXPECT_EQ(resolve("nothing to do", lookup), "nothing to do");
  EXPECT_EQ(resolve("", lookup), "");
}

TEST(Expressions, AreReplacedOnceAndNotInWhatReplacedThem) {
  EXPECT_EQ(resolve("<${{inputs.text}}>", lookup), "<${{inputs.lr}} ]] $[[>");
  EXPECT_EQ(resolve("<$[[${{inputs.text}}]]>", lookup), "<${{inputs.lr}} ]] $[[>");
}

TEST(Expressions, OptionalSegmentsAreKeptOnlyIfAllInThemIsSet) {
  EXPECT_EQ(resolve("a $[[--lr ${{inputs.lr}}]] b", lookup), "a --lr 0.1 b");
  EXPECT_EQ(resolve("a $[[--w ${{inputs.w}}]] b", lookup), "a  b");
  EXPECT_EQ(resolve("a $[[--lr ${{inputs.lr}} --w ${{inputs.w}}]] b", lookup), "a  b");
  EXPECT_EQ(resolve("$[[plain]]$[[${{inputs.w}}]]${{name}}", lookup), "plainrun_7");
}

TEST(Expressions, UnsetOutsideOfASegmentIsBadInput) {
  try {
    resolve("x ${{inputs.w}}", lookup);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::bad_input);
    EXPECT_STREQ(e.what(), "'${{inputs.w}}' has no value");
  }
  EXPECT_THROW(resolve("${{", lookup), Error);
}

}  // namespace
}  // namespace lockstep::spec
