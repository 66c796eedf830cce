// What a person who looks through the history asks for: what is going on where, curves with as many points as fit on a
// screen, a page of a run's metrics.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "history/store/values.hpp"

namespace lockstep::history {

enum class CurveAxis { step, time };

// The values between two ends, which belong to it: steps, or milliseconds since 1970.
struct CurveQuery {
  CurveAxis axis = CurveAxis::step;
  std::int64_t from = std::numeric_limits<std::int64_t>::min();
  std::int64_t to = std::numeric_limits<std::int64_t>::max();
  int max_points = 1000;  // at least 4
};

struct Curve {
  std::vector<Metric> points;  // by step, time; without their key
  std::int64_t total = 0;      // values between the ends; where that is more than the points, they are a sample
};

// The latest value of each key, by key.
struct LatestPage {
  std::vector<Metric> metrics;
  std::string next_page_token;  // empty: that was all
  std::int64_t total = 0;       // on all pages
};

// Of the active runs of an experiment.
struct Activity {
  std::string experiment_id;
  std::int64_t runs = 0;
  std::int64_t unfinished = 0;
  std::int64_t last_start_ms = 0;
};

class Browsing {
 public:
  virtual ~Browsing() = default;

  virtual std::vector<Activity> activity() = 0;  // of the experiments that have active runs

  // All values between the ends if they are no more than max_points; else a sample that looks like all of them (M4:
  // Jugel et al. 2014): of each of max_points / 4 parts the first, the least, the greatest and the last value.
  virtual Curve curve(const std::string& run_id, const std::string& key, const CurveQuery& query) = 0;

  // Of the keys that have `part` in them, ASCII letters of either case; all for "".
  virtual LatestPage latest_page(const std::string& run_id, const std::string& part, int max_results,
                                 const std::string& page_token) = 0;

  // A text that is another one after a metric of the run was logged.
  virtual std::string metrics_mark(const std::string& run_id) = 0;
};

}  // namespace lockstep::history
