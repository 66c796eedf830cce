#include <gmock/gmock.h>

#include <limits>

#include "history/sink/report/backoff.hpp"
#include "history/sink/report/batch.hpp"

namespace lockstep::history::report {
namespace {

JournalEntry entry_at(std::int64_t sequence) {
  JournalEntry entry;
  entry.sequence = sequence;
  entry.step = 10 * sequence;
  entry.timestamp_ms = 1000 + sequence;
  return entry;
}

JournalEntry metrics_at(std::int64_t sequence, int count) {
  JournalEntry entry = entry_at(sequence);
  for (int i = 0; i < count; ++i) entry.metrics.emplace_back("m" + std::to_string(i), i);
  return entry;
}

std::vector<std::size_t> sizes_of_all(const std::deque<JournalEntry>& entries) {
  std::vector<std::size_t> sizes;
  Position at;
  for (Batch batch = cut_batch(entries, at, {}, {}); batch.end != at; batch = cut_batch(entries, at, {}, {})) {
    sizes.push_back(batch.items());
    at = batch.end;
  }
  EXPECT_EQ(at, (Position{entries.back().sequence + 1, 0}));
  return sizes;
}

TEST(Batch, SaysWhatTheServerWantsToKnow) {
  JournalEntry entry = metrics_at(3, 1);
  entry.params = {{"lr", "0.1"}};
  entry.tags = {{"note", "x"}};
  const Batch batch = cut_batch({entry}, {3, 0}, {}, {});
  EXPECT_EQ(batch.metrics.dump(), R"([{"key":"m0","step":30,"timestamp":1003,"value":0.0}])");
  EXPECT_EQ(batch.params.dump(), R"([{"key":"lr","value":"0.1"}])");
  EXPECT_EQ(batch.tags.dump(), R"([{"key":"note","value":"x"}])");
  EXPECT_EQ(batch.end, (Position{4, 0}));
}

TEST(Batch, SpellsWhatIsNoNumber) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  JournalEntry entry = entry_at(0);
  entry.metrics = {{"a", std::numeric_limits<double>::quiet_NaN()}, {"b", infinity}, {"c", -infinity}};
  const Batch batch = cut_batch({entry}, {}, {}, {});
  EXPECT_EQ(batch.metrics[0]["value"], "NaN");
  EXPECT_EQ(batch.metrics[1]["value"], "Infinity");
  EXPECT_EQ(batch.metrics[2]["value"], "-Infinity");
}

TEST(Batch, CutsAnEntryThatIsTooLargeForOne) {
  EXPECT_THAT(sizes_of_all({metrics_at(0, 2500)}), ::testing::ElementsAre(999, 999, 502));
  EXPECT_THAT(sizes_of_all({metrics_at(0, 900), metrics_at(1, 99), metrics_at(2, 1)}), ::testing::ElementsAre(999, 1));
}

TEST(Batch, KeepsTheLimitOfEachKind) {
  JournalEntry entry = entry_at(0);
  for (int i = 0; i < 150; ++i) entry.params.emplace_back("p" + std::to_string(i), "v");
  for (int i = 0; i < 150; ++i) entry.tags.emplace_back("t" + std::to_string(i), "v");
  const Batch first = cut_batch({entry}, {}, {}, {});
  EXPECT_EQ(first.params.size(), 100U);
  EXPECT_EQ(first.tags.size(), 0U);  // in the journal's order
  EXPECT_EQ(first.end, (Position{0, 100}));
  const Batch second = cut_batch({entry}, first.end, {}, {});
  EXPECT_EQ(second.params.size(), 50U);
  EXPECT_EQ(second.tags.size(), 99U);
}

TEST(Batch, PassesOverParametersThatTheRunHas) {
  JournalEntry entry = entry_at(0);
  entry.params = {{"a", "1"}, {"b", "2"}};
  EXPECT_EQ(cut_batch({entry}, {}, {"a"}, {}).params.dump(), R"([{"key":"b","value":"2"}])");
  const Batch nothing = cut_batch({entry}, {}, {"a", "b"}, {});
  EXPECT_EQ(nothing.items(), 0U);
  EXPECT_EQ(nothing.end, (Position{1, 0}));
  JournalEntry again = entry_at(1);
  again.params = {{"a", "3"}};
  EXPECT_EQ(cut_batch({entry, again}, {}, {}, {}).params.size(), 2U);
}

TEST(Batch, KeepsTheLastValueOfATag) {
  JournalEntry entry = entry_at(0);
  entry.tags = {{"a", "1"}};
  JournalEntry again = entry_at(1);
  again.tags = {{"a", "2"}};
  EXPECT_EQ(cut_batch({entry, again}, {}, {}, {}).tags.dump(), R"([{"key":"a","value":"2"}])");
}

TEST(Batch, CountsWhatIsLeft) {
  const std::deque<JournalEntry> entries = {metrics_at(0, 3), metrics_at(1, 2)};
  EXPECT_EQ(count_metrics(entries, {0, 0}), 5);
  EXPECT_EQ(count_metrics(entries, {0, 2}), 3);
  EXPECT_EQ(count_metrics(entries, {1, 2}), 0);
}

TEST(Backoff, DoublesUpToItsLongestAndIsNeverTwiceTheSame) {
  Backoff backoff(100, 1000, 1);
  for (const std::int64_t step : {100, 200, 400, 800, 1000, 1000}) {
    const std::int64_t wait = backoff.next_ms();
    EXPECT_GE(wait, step / 2);
    EXPECT_LE(wait, step);
  }
  Backoff other(100, 1000, 2);
  Backoff third(100, 1000, 3);
  bool differ = false;
  for (int i = 0; i < 5; ++i) differ = differ || other.next_ms() != third.next_ms();
  EXPECT_TRUE(differ);
  backoff.reset();
  EXPECT_LE(backoff.next_ms(), 100);
}

TEST(Backoff, WaitsAsLongAsTheServerAsks) {
  Backoff backoff(100, 1000, 1);
  EXPECT_EQ(backoff.next_ms(7), 7000);
  EXPECT_EQ(backoff.next_ms(1'000'000'000), 600'000);
}

TEST(CutBatch, GoesNoFurtherThanItsEnd) {
  JournalEntry first;
  JournalEntry empty;
  JournalEntry last;
  first.metrics = {{"a", 1}, {"b", 2}};
  empty.sequence = 1;
  last.sequence = 2;
  last.metrics = {{"c", 3}, {"d", 4}};
  for (const Position end : {Position{0, 1}, Position{1, 0}, Position{2, 0}, Position{2, 1}}) {
    BatchLimits limits;
    limits.end = end;
    EXPECT_EQ(cut_batch({first, empty, last}, {}, {}, limits).end, end) << end.sequence << '.' << end.item;
  }
}

}  // namespace
}  // namespace lockstep::history::report
