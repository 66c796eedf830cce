// A store as a sink: what it lacks is added, what it has is left as it is.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "history/transfer/transfer.hpp"

namespace lockstep::history::transfer {

struct Taken {
  Counts added;  // experiments: those that were made
  std::int64_t runs_here = 0;
  std::int64_t models_here = 0;
  std::int64_t runs_on = 0;           // runs whose owner has not ended them yet: left out
  std::vector<std::string> left_out;  // those, and what the store refuses; a sentence each
  std::int64_t refused() const { return std::ssize(left_out) - runs_on; }
};

class StoreSink : public Sink {
 public:
  explicit StoreSink(Store& store) : store_(store) {}
  void take(const Experiment& experiment) override;
  void take(const ImportedRun& run, const NextSeries& next) override;
  void take(const ImportedModel& model) override;
  void take(const LoggedModel& model) override;
  void end() override { store_.sync_imports(); }
  const Taken& taken() const { return taken_; }

 private:
  const std::string& id_here(const std::string& experiment_id) const;

  Store& store_;
  std::map<std::string, std::string> id_here_;  // by the source's id
  Taken taken_;
};

// What a StoreSink would do, found by looking only. Without a store: as with an empty one. What the store would refuse
// is not seen.
class LookingSink : public Sink {
 public:
  explicit LookingSink(Store* store) : store_(store) {}
  void take(const Experiment& experiment) override;
  void take(const ImportedRun& run, const NextSeries& next) override;
  void take(const ImportedModel& model) override;
  void take(const LoggedModel& model) override;
  const Taken& taken() const { return taken_; }

 private:
  Store* store_;
  Taken taken_;
};

}  // namespace lockstep::history::transfer
