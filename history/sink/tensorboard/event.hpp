// The events that a training has for TensorBoard, as the bytes of its Event message (tensorflow/core/util/event.proto,
// tensorflow/core/framework/summary.proto and tensor.proto; the field numbers are theirs).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::history::tensorboard {

// Where a summary belongs.
struct Moment {
  std::int64_t step = 0;
  std::int64_t timestamp_ms = 0;  // since 1970 UTC
  bool operator==(const Moment&) const = default;
};

// Values of one moment. TensorBoard's scalars are float32: what is beyond its range becomes an infinity. Names that
// are no UTF-8 get U+FFFD where they are not: a reader would refuse the whole event.
using Scalars = std::vector<std::pair<std::string, double>>;
std::string scalars_event(const Moment& moment, const Scalars& scalars);

// A text in Markdown.
std::string text_event(const Moment& moment, std::string_view name, std::string_view markdown);
// Names and values as a table in Markdown.
std::string markdown_table(std::span<const std::pair<std::string, std::string>> rows);

struct Bucket {
  double left = 0;
  double right = 0;
  double count = 0;  // of values with left <= value < right; in the last one also value == right
  bool operator==(const Bucket&) const = default;
};
// As many buckets of one width as TensorBoard makes itself (30) from the least to the greatest value; one of width 1
// around it when all values are the same; none when there are none. NaN and infinities are left out.
std::vector<Bucket> buckets_of(std::span<const float> values);
std::string histogram_event(const Moment& moment, std::string_view name, std::span<const Bucket> buckets);

// The first event of every file: it says which version of the format follows.
std::string version_event(std::int64_t timestamp_ms);

}  // namespace lockstep::history::tensorboard
