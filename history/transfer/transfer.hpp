// A history on its way: a source gives what it has, a sink takes it. Each source works with each sink.
//
// A source gives an experiment before what lies in it, and a run before those below it where it can. Experiments are
// named by the ids that they have in the source.
#pragma once

#include <cstdint>
#include <functional>

#include "history/store/store.hpp"

namespace lockstep::history::transfer {

inline constexpr std::size_t longest_piece = 10'000;  // values that a source gives at once

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void take(const Experiment& experiment) = 0;
  // `next` belongs to the call. It need not be asked to its end.
  virtual void take(const ImportedRun& run, const NextSeries& next) = 0;
  virtual void take(const ImportedModel& model) = 0;
  virtual void take(const LoggedModel& model) = 0;
  virtual void end() {}  // that was all
};

class Source {
 public:
  virtual ~Source() = default;
  // Gives all of it, once, and ends the sink. Errors say where in the source they are.
  virtual void give(Sink& sink) = 0;
};

struct Counts {
  std::int64_t experiments = 0;
  std::int64_t runs = 0;
  std::int64_t points = 0;
  std::int64_t models = 0;  // registered and logged ones
  bool operator==(const Counts&) const = default;
};

// Hands everything on, and tells after each piece what has gone through. What `told` throws ends the transfer.
class CountedSink : public Sink {
 public:
  CountedSink(Sink& to, std::function<void(const Counts&)> told) : to_(to), told_(std::move(told)) {}
  void take(const Experiment& experiment) override;
  void take(const ImportedRun& run, const NextSeries& next) override;
  void take(const ImportedModel& model) override;
  void take(const LoggedModel& model) override;
  void end() override { to_.end(); }
  const Counts& counts() const { return counts_; }

 private:
  Sink& to_;
  std::function<void(const Counts&)> told_;
  Counts counts_;
};

}  // namespace lockstep::history::transfer
