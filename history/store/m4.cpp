#include "history/store/m4.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lockstep::history {

void M4Summary::add(const Metric& point) {
  const double value = point.value;
  const bool is_number = value == value;
  if (points == 0) first = point;
  if (is_number && (least_place < 0 || value < least.value)) {
    least = point;
    least_place = points;
  }
  if (is_number && (greatest_place < 0 || value > greatest.value)) {
    greatest = point;
    greatest_place = points;
  }
  last = point;
  ++points;
}

std::int64_t M4::part_of(std::int64_t place) const {
  return std::min(place * parts_ / std::max<std::int64_t>(total_, 1), parts_ - 1);
}

void M4::begin_part_of_next() {
  if (const std::int64_t part = part_of(place_); part != part_) {
    end_part();
    part_ = part;
  }
}

void M4::add(const Metric& point) {
  begin_part_of_next();
  held_.add(point);
  ++place_;
}

bool M4::are_of_one_part(std::int64_t points) const { return part_of(place_) == part_of(place_ + points - 1); }

void M4::add(const M4Summary& more) {
  begin_part_of_next();
  place_ += more.points;
  const std::int64_t before = held_.points;
  if (before == 0) {
    held_ = more;
    return;
  }
  if (more.least_place >= 0 && (held_.least_place < 0 || more.least.value < held_.least.value)) {
    held_.least = more.least;
    held_.least_place = before + more.least_place;
  }
  if (more.greatest_place >= 0 && (held_.greatest_place < 0 || more.greatest.value > held_.greatest.value)) {
    held_.greatest = more.greatest;
    held_.greatest_place = before + more.greatest_place;
  }
  held_.last = more.last;
  held_.points += more.points;
}

void M4::end_part() {
  using Held = std::pair<std::int64_t, Metric*>;
  if (held_.points == 0) return;
  std::array<Held, 4> held{Held{0, &held_.first}, Held{held_.least_place, &held_.least},
                           Held{held_.greatest_place, &held_.greatest}, Held{held_.points - 1, &held_.last}};
  std::sort(held.begin(), held.end(), [](const Held& a, const Held& b) { return a.first < b.first; });
  std::int64_t before = -1;
  for (const auto& [place, point] : held) {
    if (place > std::exchange(before, std::max(before, place))) kept_.push_back(std::move(*point));
  }
  held_ = {};
}

std::vector<Metric> M4::take() {
  end_part();
  return std::move(kept_);
}

}  // namespace lockstep::history
