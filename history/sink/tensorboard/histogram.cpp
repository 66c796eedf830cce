#include <algorithm>
#include <cmath>
#include <limits>

#include "history/sink/tensorboard/event.hpp"

namespace lockstep::history::tensorboard {

namespace {
struct Extent {
  double least = std::numeric_limits<double>::infinity();
  double greatest = -std::numeric_limits<double>::infinity();
  double count = 0;
};

Extent extent_of(std::span<const float> values) {
  Extent extent;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    extent.least = std::min(extent.least, static_cast<double>(value));
    extent.greatest = std::max(extent.greatest, static_cast<double>(value));
    ++extent.count;
  }
  return extent;
}
}  // namespace

std::vector<Bucket> buckets_of(std::span<const float> values) {
  constexpr std::size_t many = 30;
  const auto [least, greatest, count] = extent_of(values);
  if (count == 0) return {};
  if (least == greatest) return {{least - 0.5, least + 0.5, count}};
  const double width = (greatest - least) / many;
  std::vector<Bucket> buckets(many);
  for (std::size_t i = 0; i < many; ++i) {
    buckets[i].left = least + static_cast<double>(i) * width;
    buckets[i].right = i + 1 == many ? greatest : least + static_cast<double>(i + 1) * width;
  }
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const auto at = static_cast<std::size_t>((static_cast<double>(value) - least) / width);
    ++buckets[std::min(at, many - 1)].count;
  }
  return buckets;
}

}  // namespace lockstep::history::tensorboard
