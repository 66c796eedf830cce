// The stages of stopping a run, against a clock that the caller gives: TERM to the ranks; after the grace TERM to the
// program that started them; then KILL to everything. docs/supervision.md has the picture.
#pragma once

#include <cstdint>
#include <functional>

#include "common/process.hpp"

namespace lockstep::supervise {

struct StageTimes {
  std::int64_t stop_grace_ms = 30'000;
  std::int64_t kill_after_ms = 5'000;
};

// What the stages do to the world.
struct StageActions {
  std::function<void()> ask_ranks;     // TERM to the ranks, or to the program if no rank is there yet
  std::function<void()> term_program;  // TERM to mpirun
  std::function<void()> kill;          // KILL to everything of the run
};

class Stages {
 public:
  Stages(StageTimes times, StageActions actions) : times_(times), actions_(std::move(actions)) {}

  // `ranks_save`: some rank registered itself as one that saves on TERM, so it is worth the whole grace. Ranks that do
  // not save get kill_after only. Asking twice does nothing.
  void begin(std::int64_t now_ms, bool ranks_save);
  void advance(std::int64_t now_ms);      // does what is due
  void reset() { stage_ = Stage::none; }  // there is another program to stop
  bool begun() const { return stage_ != Stage::none; }
  bool killed() const { return stage_ == Stage::killed; }

 private:
  enum class Stage { none, ranks_asked, program_asked, killed };
  StageTimes times_;
  StageActions actions_;
  Stage stage_ = Stage::none;
  std::int64_t next_ms_ = 0;
  bool ranks_save_ = false;
};

}  // namespace lockstep::supervise
