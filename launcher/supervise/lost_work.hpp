// What a run that begins again has lost: the work after what it goes on from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/run_folder.hpp"

namespace lockstep::supervise {

struct LostWork {
  std::string text;                                   // "12 steps after checkpoint 300 are done again"
  std::optional<std::int64_t> steps = std::nullopt;   // of a program that keeps our journal
  std::optional<std::int64_t> millis = std::nullopt;  // of another one: since it wrote to checkpoints/ last
};

// What is in the run's folder when all that its ranks wrote has come there. `reached_step`: where rank 0's journal of
// this attempt ends; nullopt where it has no entry of this attempt. `ended_ms`: when its program ended.
LostWork lost_work(const RunFolder& folder, std::optional<std::int64_t> reached_step, std::int64_t ended_ms);

// The step of the newest whole checkpoint of lockstep-train's (docs/checkpoints.md).
std::optional<std::int64_t> newest_checkpoint(const RunFolder& folder);

}  // namespace lockstep::supervise
