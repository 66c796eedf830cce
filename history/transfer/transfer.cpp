#include "history/transfer/transfer.hpp"

namespace lockstep::history::transfer {

void CountedSink::take(const Experiment& experiment) {
  to_.take(experiment);
  ++counts_.experiments;
  told_(counts_);
}

void CountedSink::take(const ImportedRun& run, const NextSeries& next) {
  to_.take(run, [&](std::string& key, std::vector<Metric>& points) {
    if (!next(key, points)) return false;
    counts_.points += static_cast<std::int64_t>(points.size());
    told_(counts_);
    return true;
  });
  ++counts_.runs;
  told_(counts_);
}

void CountedSink::take(const ImportedModel& model) {
  to_.take(model);
  ++counts_.models;
  told_(counts_);
}

void CountedSink::take(const LoggedModel& model) {
  to_.take(model);
  ++counts_.models;
  told_(counts_);
}

}  // namespace lockstep::history::transfer
