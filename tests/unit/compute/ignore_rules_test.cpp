// git itself is the reference: `git check-ignore` on the same files and rules must say the same.
#include "launcher/compute/ignore_rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "common/process.hpp"
#include "launcher/compute/code_listing.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::compute {
namespace {

using testing::TemporaryFolder;
using testing::write_text;

std::string git(const fs::path& folder, std::vector<std::string> words) {
  ProgramSpec program;
  program.argv = {"git", "-c", "core.excludesFile=/dev/null", "-c", "core.quotePath=false", "-C", folder.string()};
  program.argv.insert(program.argv.end(), words.begin(), words.end());
  program.environment = current_environment();
  return run_program(program).output;
}

// The files (not folders) that git would add: nothing is tracked, so "others" are all files, less the excluded ones.
std::set<std::string> kept_by_git(const fs::path& folder) {
  const std::string output = git(folder, {"ls-files", "--others", "--exclude-standard", "-z"});
  std::set<std::string> kept;
  for (std::size_t begin = 0; begin < output.size();) {
    const std::size_t end = output.find('\0', begin);
    kept.insert(output.substr(begin, end - begin));
    begin = end + 1;
  }
  return kept;
}

std::set<std::string> kept_by_us(const fs::path& folder) {
  std::set<std::string> kept;
  for (const auto& entry : list_code(folder, [] { return false; }).entries) {
    if (entry.kind != CodeEntry::Kind::folder) kept.insert(entry.path);
  }
  return kept;
}

class IgnoreRulesAgainstGit : public ::testing::Test {
 protected:
  IgnoreRulesAgainstGit() { git(folder_.path(), {"init", "-q"}); }
  void expect_same(const std::string& what) const {
    EXPECT_EQ(kept_by_us(folder_.path()), kept_by_git(folder_.path())) << what;
  }
  TemporaryFolder folder_;
};

TEST_F(IgnoreRulesAgainstGit, AgreeOnEachRuleOfTheManual) {
  for (const char* name :
       {"a.txt",       "b.o",           "build/x", "src/build/y", "src/a.txt",    "src/deep/er/a.txt",
        "doc/frotz/x", "a/doc/frotz/x", "foo/bar", "a/foo/bar",   "abc/1/2",      "#hash",
        "!bang",       "trail ",        "star*",   "q?",          "[b]",          "a\\b",
        "dir/keep/k",  "dir/drop",      ".hidden", "x/.hidden",   "logs/run.log", "x y",
        "caf\xC3\xA9"}) {
    write_text(folder_ / name, "x");
  }
  for (const char* rules : {"*.o",
                            "build/",
                            "/build",
                            "src/build",
                            "**/a.txt",
                            "/a.txt",
                            "a.txt",
                            "doc/frotz",
                            "doc/frotz/",
                            "frotz/",
                            "**/foo",
                            "**/foo/bar",
                            "abc/**",
                            "a/**/bar",
                            "**",
                            "*",
                            "*\n!*.o",
                            "*\n!src/\n!src/a.txt",
                            "/*\n!/foo",
                            "#hash",
                            "\\#hash",
                            "\\!bang",
                            "!bang",
                            "trail\\ ",
                            "trail ",
                            "trail",
                            "star\\*",
                            "star*",
                            "q\\?",
                            "q?",
                            "[b]",
                            "\\[b]",
                            "[!b].txt",
                            "[^b].txt",
                            "[a-c].*",
                            "[[:alpha:]].o",
                            "a\\\\b",
                            "dir/*\n!dir/keep/",
                            "dir/\n!dir/keep/k",
                            ".*",
                            ".hidden",
                            "x/.*",
                            "logs/*.log",
                            "/src/*/er",
                            "src/**/er/",
                            "src/**/a.txt",
                            "**/er/**",
                            "x y",
                            "x\\ y",
                            "caf\xC3\xA9",
                            "caf?",
                            "caf??",
                            "\r\n*.o\r\n",
                            "\xEF\xBB\xBF*.o",
                            "/",
                            "//",
                            "!",
                            "a.txt\n!a.txt\n/a.txt",
                            "foo//bar",
                            "/**/bar",
                            "**/",
                            "*/",
                            "*/*",
                            "**/**/bar",
                            "abc/**/**",
                            "sr[c]/*",
                            "build/ ",
                            "  build",
                            "a**t",
                            "**.o",
                            "*.txt   ",
                            "",
                            "\n\n# only a comment\n"}) {
    write_text(folder_ / ".gitignore", rules);
    expect_same(rules);
  }
}

TEST_F(IgnoreRulesAgainstGit, AgreeOnNestedFiles) {
  for (const char* name : {"a.log", "src/a.log", "src/b.log", "src/deep/a.log", "src/deep/b.log", "other/a.log"}) {
    write_text(folder_ / name, "x");
  }
  write_text(folder_ / ".gitignore", "*.log\n");
  write_text(folder_ / "src/.gitignore", "!a.log\n/b.log\n");
  write_text(folder_ / "src/deep/.gitignore", "/a.log\n!b.log\n");
  expect_same("nested");
  write_text(folder_ / ".gitignore", "*.log\nsrc/deep/\n");
  expect_same("nested in an excluded folder");
}

TEST_F(IgnoreRulesAgainstGit, AgreeOnRandomRules) {
  std::mt19937 random(20261123);  // NOLINT(bugprone-random-generator-seed): a failure must come back
  const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  const std::vector<std::string> names{"a", "b", "ab", "a.x", "b.x", "ab.y"};
  for (int i = 0; i < 60; ++i) {
    std::string path = pick(names);
    for (int depth = static_cast<int>(random() % 4); depth > 0; --depth) path = pick({"a", "b", "c"}) + ".d/" + path;
    write_text(folder_ / path, "x");
  }
  const std::vector<std::string> pieces{"a", "b", "*", "**", "?", "[ab]", "[!a]", ".d", ".x", "*.d", "a.d", "c.d", "/"};
  for (int round = 0; round < 60; ++round) {
    std::string rules;
    for (int line = static_cast<int>(random() % 5) + 1; line > 0; --line) {
      if (random() % 4 == 0) rules += '!';
      for (int piece = static_cast<int>(random() % 5) + 1; piece > 0; --piece) {
        rules += pick(pieces);
        if (random() % 3 == 0) rules += '/';
      }
      rules += '\n';
    }
    write_text(folder_ / ".gitignore", rules);
    write_text(folder_ / "a.d/.gitignore", round % 2 == 0 ? rules : "");
    expect_same(rules);
  }
}

TEST(IgnoreRules, TakeTimeProportionalToTheirSize) {
  IgnoreRules rules;
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "**/a/";
  rules.add(pattern + "b", "");
  std::string path;
  for (int i = 0; i < 400; ++i) path += "a/";
  EXPECT_FALSE(rules.exclude(path + "c", false));  // would not end if it tried every split
  EXPECT_TRUE(rules.exclude(path + "b", false));
}

}  // namespace
}  // namespace lockstep::compute
