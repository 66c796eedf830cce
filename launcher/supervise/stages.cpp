#include "launcher/supervise/stages.hpp"

namespace lockstep::supervise {

void Stages::begin(std::int64_t now_ms, bool ranks_save) {
  if (begun()) return;
  stage_ = Stage::ranks_asked;
  ranks_save_ = ranks_save;
  next_ms_ = now_ms + (ranks_save ? times_.stop_grace_ms : times_.kill_after_ms);
  actions_.ask_ranks();
}

void Stages::advance(std::int64_t now_ms) {
  if (!begun() || killed() || now_ms < next_ms_) return;
  if (stage_ == Stage::ranks_asked && ranks_save_) {
    stage_ = Stage::program_asked;
    next_ms_ = now_ms + times_.kill_after_ms;
    actions_.term_program();
  } else {
    stage_ = Stage::killed;
    actions_.kill();
  }
}

}  // namespace lockstep::supervise
