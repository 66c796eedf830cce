#include "launcher/supervise/log_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/temporary_folder.hpp"

namespace lockstep::supervise {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PrintableLine, KeepsTextAndDropsDrawing) {
  EXPECT_EQ(printable_line("plain é 日本 🦉"), "plain é 日本 🦉");
  EXPECT_EQ(printable_line("10%\r50%\r100%\r"), "100%");
  EXPECT_EQ(printable_line("\x1b[1;31mred\x1b[0m\tand\x07 rung"), "red  and rung");
  EXPECT_EQ(printable_line("cut \x1b["), "cut ");
  EXPECT_EQ(printable_line("cut \x1b"), "cut ");
  EXPECT_EQ(printable_line(""), "");
}

TEST(PrintableLine, IsAlwaysUtf8) {
  // bytes alone, overlong, surrogate, too large, cut
  for (const char* bytes :
       {"\xff", "\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    const std::string line = printable_line(std::string("a") + bytes);
    EXPECT_EQ(line.substr(0, 2), "a?") << line;
    EXPECT_NO_THROW(nlohmann::json(line).dump());
  }
}

TEST(PrintableLine, IsNotEndless) {
  const std::string line = printable_line(std::string(1'000'000, 'x'));
  EXPECT_LT(line.size(), 600U);
  EXPECT_EQ(line.substr(line.size() - 4), "x...");
}

TEST(LastLines, AreTheLastOfTheFile) {
  lockstep::testing::TemporaryFolder folder;
  const fs::path log = folder / "rank-0.log";
  EXPECT_THAT(last_lines(log, 3), IsEmpty());
  write_file_atomically(log, "");
  EXPECT_THAT(last_lines(log, 3), IsEmpty());
  write_file_atomically(log, "a\n\nb\nc\nd");
  EXPECT_THAT(last_lines(log, 3), ElementsAre("b", "c", "d"));
  EXPECT_THAT(last_lines(log, 10), ElementsAre("a", "", "b", "c", "d"));
}

TEST(LastLines, OfALargeLogAreWhole) {
  lockstep::testing::TemporaryFolder folder;
  std::string text;
  while (text.size() < 3'000'000) text += "0123456789\n";
  write_file_atomically(folder / "log", text);
  for (const auto& line : last_lines(folder / "log", 1'000'000)) ASSERT_EQ(line, "0123456789");
}

}  // namespace
}  // namespace lockstep::supervise
