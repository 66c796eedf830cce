#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "history/sink/journal.hpp"
#include "tests/support/repeatable.hpp"

namespace lockstep::history {
namespace {

JournalEntry full_entry() {
  JournalEntry entry;
  entry.rank = 3;
  entry.sequence = 7;
  entry.step = 120;
  entry.collective = 843;
  entry.timestamp_ms = 1764000000000;
  entry.metrics = {{"train_loss", 0.31}, {"a b", 2.0}};
  entry.params = {{"lr", "0.1"}};
  entry.tags = {{"note", "a \"quoted\"\n\\ word"}};
  entry.progress = Progress{1, 5, 130, 1170, 0.25, 8000.5, 12.0};
  return entry;
}

TEST(JournalLine, IsTheTextOfThePage) {
  JournalEntry entry;
  entry.sequence = 7;
  entry.step = 120;
  entry.collective = 843;
  entry.timestamp_ms = 1764000000000;
  entry.metrics = {{"train_loss", 0.31}};
  EXPECT_EQ(journal_line(entry),
            R"({"v":1,"rank":0,"seq":7,"step":120,"coll":843,"t":1764000000000,"metrics":{"train_loss":0.31}})");
  EXPECT_EQ(journal_line(full_entry()),
            R"({"v":1,"rank":3,"seq":7,"step":120,"coll":843,"t":1764000000000,"metrics":{"train_loss":0.31,"a b":2},)"
            R"("params":{"lr":"0.1"},"tags":{"note":"a \"quoted\"\n\\ word"},"progress":{"epoch":1,"epochs":5,)"
            R"("step":130,"steps":1170,"loss":0.25,"samples_per_s":8000.5,"seconds_left":12}})");
}

TEST(JournalLine, IsJsonForOtherReaders) {
  const auto json = nlohmann::json::parse(journal_line(full_entry()));
  EXPECT_EQ(json.at("metrics").at("train_loss"), 0.31);
  EXPECT_EQ(json.at("tags").at("note"), "a \"quoted\"\n\\ word");
  EXPECT_EQ(json.at("progress").at("steps"), 1170);
}

JournalEntry parsed(std::string_view line) {
  auto entry = parse_journal_line(line);
  if (!entry) throw std::runtime_error("no entry: " + std::string(line));
  return std::move(*entry);
}

TEST(JournalLine, ComesBackAsItWas) { EXPECT_EQ(parsed(journal_line(full_entry())), full_entry()); }

TEST(JournalLine, KeepsEveryBitOfEveryNumber) {
  auto random = lockstep::testing::repeatable(42);
  JournalEntry entry;
  for (int i = 0; i < 20'000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (std::isfinite(value)) entry.metrics.emplace_back("m", value);
  }
  for (const double value : {0.0, -0.0, 1.0, 1e15, 1e16, 1e17, 9223372036854775807.0, 9223372036854775808.0, 1e22,
                             5e-324, std::numeric_limits<double>::max(), -std::numeric_limits<double>::max(), 0.1,
                             std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    entry.metrics.emplace_back("m", value);
  }
  const auto back = parsed(journal_line(entry));
  ASSERT_EQ(back.metrics.size(), entry.metrics.size());
  for (std::size_t i = 0; i < entry.metrics.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back.metrics[i].second),
              std::bit_cast<std::uint64_t>(entry.metrics[i].second))
        << entry.metrics[i].second;
  }
}

TEST(JournalLine, WritesNaNAndInfinitiesAsWords) {
  JournalEntry entry;
  entry.metrics = {{"a", std::nan("")}, {"b", INFINITY}, {"c", -INFINITY}};
  const std::string line = journal_line(entry);
  EXPECT_THAT(line, ::testing::HasSubstr(R"({"a":"NaN","b":"Infinity","c":"-Infinity"})"));
  const auto back = parsed(line);
  EXPECT_TRUE(std::isnan(back.metrics[0].second));
  EXPECT_EQ(back.metrics[1].second, INFINITY);
  EXPECT_EQ(back.metrics[2].second, -INFINITY);
}

TEST(JournalLine, ReplacesBytesThatAreNoText) {
  JournalEntry entry;
  entry.params = {{"path", "a\xFFz"}};
  const auto back = parsed(journal_line(entry));
  EXPECT_EQ(back.params[0].second, "a\xEF\xBF\xBDz");
}

TEST(JournalLine, IsNoEntryWhenCutAnywhere) {
  const std::string line = journal_line(full_entry());
  for (std::size_t length = 0; length < line.size(); ++length) {
    EXPECT_FALSE(parse_journal_line(std::string_view(line).substr(0, length)).has_value()) << length;
  }
}

TEST(JournalLine, SkipsMembersItDoesNotKnow) {
  const auto entry = parsed(
      R"({"v":1,"new":{"a":[1,{"metrics":{"x":"y"}},null]},"rank":0,"seq":1,"step":-2,"coll":3,"t":4,"l":[true,"s",1.5],)"
      R"("metrics":{"m":1}})");
  EXPECT_EQ(entry.step, -2);
  EXPECT_THAT(entry.metrics, ::testing::ElementsAre(std::pair<std::string, double>("m", 1.0)));
}

TEST(JournalLine, RefusesForeignText) {
  const std::string head = R"({"v":1,"rank":0,"seq":1,"step":2,"coll":3,"t":4)";
  ASSERT_TRUE(parse_journal_line(head + "}").has_value());
  for (const std::string& text :
       std::vector<std::string>{"",
                                "{}",
                                "[]",
                                "1",
                                "null",
                                "hello",
                                "{\"v\":1}",
                                head,
                                head + "}}",
                                head + "} x",
                                "[" + head + "}]",
                                R"({"v":2,"rank":0,"seq":1,"step":2,"coll":3,"t":4})",
                                R"({"v":1,"rank":-1,"seq":1,"step":2,"coll":3,"t":4})",
                                R"({"v":1,"rank":0,"seq":-1,"step":2,"coll":3,"t":4})",
                                R"({"v":1,"rank":0,"seq":1.5,"step":2,"coll":3,"t":4})",
                                R"({"v":1,"rank":0,"seq":1,"step":"2","coll":3,"t":4})",
                                R"({"v":1,"rank":0,"seq":1,"step":2,"coll":3})",
                                R"({"v":1,"rank":4294967296,"seq":1,"step":2,"coll":3,"t":4})",
                                R"({"v":1,"rank":0,"seq":18446744073709551615,"step":2,"coll":3,"t":4})",
                                R"({"v":1,"rank":0,"seq":9223372036854775807,"step":2,"coll":3,"t":4})",
                                head + R"(,"metrics":{"a":null}})",
                                head + R"(,"metrics":{"a":"nan"}})",
                                head + R"(,"metrics":{"a":{}}})",
                                head + R"(,"metrics":{"a":true}})",
                                head + R"(,"metrics":[1]})",
                                head + R"(,"metrics":1})",
                                head + R"(,"params":{"a":1}})",
                                head + R"(,"metrics":{"a":1e400}})",
                                head + R"(,"progress":{"epoch":1.5}})",
                                head + R"(,"progress":{"steps":-1}})",
                                head + R"(,"progress":{"epoch":99999999999}})",
                                head + ",\"tags\":{\"a\":\"\xFF\"}}",
                                head + ",\"tags\":{\"a\":\"\n\"}}"}) {
    EXPECT_FALSE(parse_journal_line(text).has_value()) << text;
  }
}

TEST(JournalLine, RefusesWhatIsTooDeepOrTooLong) {
  const std::string head = R"({"v":1,"rank":0,"seq":1,"step":2,"coll":3,"t":4,"x":)";
  EXPECT_TRUE(parse_journal_line(head + std::string(10, '[') + std::string(10, ']') + "}").has_value());
  EXPECT_FALSE(parse_journal_line(head + std::string(100, '[') + std::string(100, ']') + "}").has_value());
  EXPECT_FALSE(parse_journal_line(head + std::string(100'000, '[')).has_value());
  EXPECT_TRUE(parse_journal_line(head + "1" + std::string(1000, ' ') + "}").has_value());
  EXPECT_FALSE(parse_journal_line(head + "1" + std::string(longest_journal_line, ' ') + "}").has_value());
}

}  // namespace
}  // namespace lockstep::history
