// Events and their records, against vectors that TensorBoard's own package made (2.21, tensorboard.compat.proto).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "common/utf8.hpp"
#include "history/sink/tensorboard/crc32c.hpp"
#include "history/sink/tensorboard/event.hpp"
#include "history/sink/tensorboard/event_file.hpp"
#include "tests/support/repeatable.hpp"
#include "tests/unit/sink/event_reader.hpp"

namespace lockstep::history::tensorboard {
namespace {

using lockstep::testing::Fields;
using lockstep::testing::fields_of;
using lockstep::testing::payloads_of;
using ::testing::ElementsAre;
using namespace std::string_literals;

TEST(Crc32c, GivesThePublishedCheckValues) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
}

TEST(Events, AScalarsRecordIsThatOfTensorBoardsPackage) {
  EXPECT_EQ(record(scalars_event({3, 1500}, {{"loss", 0.25}})),
            "\x1a\0\0\0\0\0\0\0\x12\x9b\xd8\x2d\x09\0\0\0\0\0\0\xf8\x3f\x10\x03\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\x80"
            "\x3e\xd0\x54\xb2\x55"s);
}

TEST(Events, TheVersionComesFirst) {
  EXPECT_EQ(version_event(1500),
            "\x09\0\0\0\0\0\0\xf8\x3f\x1a\x0d"
            "brain.Event:2"s);
}

TEST(Events, AHistogramIsATensorOfEdgesAndCounts) {
  const Bucket bucket{-0.5, 0.5, 7};
  EXPECT_EQ(histogram_event({3, 1500}, "w", std::span(&bucket, 1)),
            "\x09\0\0\0\0\0\0\xf8\x3f\x10\x03\x2a\x3f\x0a\x3d\x0a\x01w\x42\x26\x08\x02\x12\x08\x12\x02\x08\x01\x12\x02"
            "\x08\x03\x22\x18\0\0\0\0\0\0\xe0\xbf\0\0\0\0\0\0\xe0\x3f\0\0\0\0\0\0\x1c\x40\x4a\x10\x0a\x0c\x0a\x0a"
            "histograms\x20\x02"s);
}

TEST(Events, ATextIsATensorOfOneString) {
  const Fields event = fields_of(text_event({-1, 0}, "notes", "**bold**"));
  EXPECT_EQ(event.integer(2), -1);
  const Fields value = fields_of(fields_of(event.texts.at(5).at(0)).texts.at(1).at(0));
  EXPECT_EQ(value.texts.at(1).at(0), "notes");
  const Fields tensor = fields_of(value.texts.at(8).at(0));
  EXPECT_EQ(tensor.integer(1), 7);
  EXPECT_EQ(tensor.texts.at(2).at(0), "");
  EXPECT_THAT(tensor.texts.at(8), ElementsAre("**bold**"));
  const Fields metadata = fields_of(value.texts.at(9).at(0));
  EXPECT_EQ(fields_of(metadata.texts.at(1).at(0)).texts.at(1).at(0), "text");
}

TEST(Events, ATableKeepsEachPairInItsRow) {
  const std::vector<std::pair<std::string, std::string>> rows{{"lr", "0.1"}, {"a|b", "one\ntwo *3*"}};
  EXPECT_EQ(markdown_table(rows), "| name | value |\n|---|---|\n| lr | 0.1 |\n| a\\|b | one two \\*3\\* |\n");
}

TEST(Events, ScalarsBecomeFloatsWithoutLosingTheirKind) {
  const double values[] = {0.1, 1e300, -1e300, 3.5e38, std::nan(""), INFINITY, -INFINITY, 1e-60};
  const float wanted[] = {0.1F, INFINITY, -INFINITY, INFINITY, NAN, INFINITY, -INFINITY, 0.0F};
  for (std::size_t i = 0; i < std::size(values); ++i) {
    const Fields event = fields_of(scalars_event({1, 1}, {{"m", values[i]}}));
    const float got = fields_of(fields_of(event.texts.at(5).at(0)).texts.at(1).at(0)).real32(2);
    EXPECT_TRUE(got == wanted[i] || (std::isnan(got) && std::isnan(wanted[i]))) << values[i] << " became " << got;
  }
}

// A name of any bytes, often long, often with characters of several bytes.
std::string some_name(std::mt19937_64& random) {
  std::string name;
  const std::size_t length = random() % 251;
  while (name.size() < length) {
    static const std::string pieces[] = {"a",    "/",    " ",   "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x99\x82",
                                         "\xFF", "\x80", "\0"s, "\n"};
    name += pieces[random() % std::size(pieces)];
  }
  return name;
}

TEST(Events, OfAnyNamesAndNumbersReadBack) {
  auto random = lockstep::testing::repeatable(11);
  for (int round = 0; round < 2000; ++round) {
    Scalars scalars;
    for (std::uint64_t i = random() % 5; i > 0; --i) {
      scalars.emplace_back(some_name(random), std::bit_cast<double>(random()));
    }
    const Moment moment{static_cast<std::int64_t>(random()), static_cast<std::int64_t>(random() >> 20U)};
    const auto payloads = payloads_of(record(scalars_event(moment, scalars)));
    ASSERT_EQ(payloads.size(), 1U);
    const Fields event = fields_of(payloads[0]);
    EXPECT_EQ(event.integer(2), moment.step);
    EXPECT_EQ(std::llround(event.real(1) * 1000), moment.timestamp_ms);
    const Fields summary = fields_of(event.texts.at(5).at(0));
    const auto found = summary.texts.find(1);
    ASSERT_EQ(found == summary.texts.end() ? 0 : found->second.size(), scalars.size());
    for (std::size_t i = 0; i < scalars.size(); ++i) {
      const Fields value = fields_of(found->second[i]);
      EXPECT_TRUE(is_valid_utf8(value.texts.at(1).at(0)));
      EXPECT_EQ(value.texts.at(1).at(0), replace_invalid_utf8(scalars[i].first));
      EXPECT_EQ(std::isnan(value.real32(2)), std::isnan(scalars[i].second));
    }
  }
}

double count_of(std::span<const Bucket> buckets) {
  double count = 0;
  for (const Bucket& each : buckets) count += each.count;
  return count;
}

TEST(Histogram, CountsEveryFiniteValueOnce) {
  auto random = lockstep::testing::repeatable(5);
  std::normal_distribution<float> normal;
  std::vector<float> values(10'007);
  for (float& each : values) each = normal(random);
  values[17] = NAN;
  values[18] = INFINITY;
  const auto buckets = buckets_of(values);
  ASSERT_EQ(buckets.size(), 30U);
  EXPECT_EQ(count_of(buckets), 10'005);
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    EXPECT_LT(buckets[i].left, buckets[i].right);
    EXPECT_EQ(buckets[i].left, i == 0 ? buckets[0].left : buckets[i - 1].right);
    const auto inside = std::count_if(values.begin(), values.end(), [&](float value) {
      const bool last = i + 1 == buckets.size();
      return value >= buckets[i].left && (value < buckets[i].right || (last && value == buckets[i].right));
    });
    EXPECT_NEAR(buckets[i].count, static_cast<double>(inside), 1) << i;  // an edge itself may be rounded
  }
}

TEST(Histogram, OfOneValueOrNone) {
  EXPECT_THAT(buckets_of(std::vector<float>{}), ElementsAre());
  EXPECT_THAT(buckets_of(std::vector<float>{NAN}), ElementsAre());
  EXPECT_THAT(buckets_of(std::vector<float>{2, 2, NAN, 2}), ElementsAre(Bucket{1.5, 2.5, 3}));
  const float most = std::numeric_limits<float>::max();
  EXPECT_EQ(count_of(buckets_of(std::vector<float>{-most, 0, most})), 3);
}

}  // namespace
}  // namespace lockstep::history::tensorboard
