#include "history/store/m4.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lockstep::history {

void M4::add(Metric point) {
  const std::int64_t part = std::min(place_ * parts_ / std::max<std::int64_t>(total_, 1), parts_ - 1);
  if (part != part_) {
    end_part();
    part_ = part;
  }
  const double value = point.value;
  if (first_.place < 0) first_ = {place_, point};
  if (value == value && (least_.place < 0 || value < least_.point.value)) least_ = {place_, point};
  if (value == value && (greatest_.place < 0 || value > greatest_.point.value)) greatest_ = {place_, point};
  last_ = {place_++, std::move(point)};
}

void M4::end_part() {
  std::array<Held, 4> held{std::move(first_), std::move(least_), std::move(greatest_), std::move(last_)};
  std::sort(held.begin(), held.end(), [](const Held& a, const Held& b) { return a.place < b.place; });
  std::int64_t before = -1;
  for (Held& each : held) {
    if (each.place > std::exchange(before, each.place)) kept_.push_back(std::move(each.point));
  }
  first_ = least_ = greatest_ = last_ = {};
}

std::vector<Metric> M4::take() {
  end_part();
  return std::move(kept_);
}

}  // namespace lockstep::history
