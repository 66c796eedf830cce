// M4 (Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014): the points of a curve that
// a screen can tell apart from all of it.
#pragma once

#include <cstdint>
#include <vector>

#include "history/store/values.hpp"

namespace lockstep::history {

// The points that M4 would keep of some that follow each other: all that a part needs to know of them.
struct M4Summary {
  std::int64_t points = 0;
  Metric first, least, greatest, last;
  std::int64_t least_place = -1;  // among them, from 0; -1: all are NaN
  std::int64_t greatest_place = -1;

  void add(const Metric& point);
};

// Takes `total` points one after the other, and keeps of each of `parts` parts of equal length the first, the least,
// the greatest and the last, in order. NaN is neither least nor greatest: only a part's first or last one is kept.
class M4 {
 public:
  M4(std::int64_t total, std::int64_t parts) : total_(total), parts_(parts) {}

  void add(const Metric& point);
  bool are_of_one_part(std::int64_t points) const;  // the next ones
  void add(const M4Summary& points);                // which are of one part
  std::vector<Metric> take();

 private:
  std::int64_t part_of(std::int64_t place) const;
  void begin_part_of_next();
  void end_part();

  std::int64_t total_;
  std::int64_t parts_;
  std::int64_t place_ = 0;
  std::int64_t part_ = 0;
  M4Summary held_;  // of the part
  std::vector<Metric> kept_;
};

}  // namespace lockstep::history
