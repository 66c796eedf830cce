// M4 (Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014): the points of a curve that
// a screen can tell apart from all of it.
#pragma once

#include <cstdint>
#include <vector>

#include "history/store/values.hpp"

namespace lockstep::history {

// Takes `total` points one after the other, and keeps of each of `parts` parts of equal length the first, the least,
// the greatest and the last, in order. NaN is neither least nor greatest: only a part's first or last one is kept.
class M4 {
 public:
  M4(std::int64_t total, std::int64_t parts) : total_(total), parts_(parts) {}

  void add(Metric point);
  std::vector<Metric> take();

 private:
  struct Held {
    std::int64_t place = -1;  // -1: nothing
    Metric point;
  };
  void end_part();

  std::int64_t total_;
  std::int64_t parts_;
  std::int64_t place_ = 0;
  std::int64_t part_ = 0;
  Held first_, least_, greatest_, last_;
  std::vector<Metric> kept_;
};

}  // namespace lockstep::history
