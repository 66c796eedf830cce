// Which collective is late, and who has not reached it: from what ranks say of their progress, and a clock.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runner/collective/nccl/progress.hpp"

namespace lockstep::runner {

struct Late {
  std::int64_t number = 0;
  Operation operation = Operation::all_reduce;
  std::int64_t bytes = 0;
  double for_s = 0;                  // since it was first seen to be the oldest that a GPU waits in
  std::vector<std::size_t> missing;  // ranks whose GPU has not come to it
  std::vector<std::size_t> waiting;  // ranks whose GPU has, and is not done
};

class LateCollective {
 public:
  // The oldest collective that a rank's GPU has reached and not finished, if there is one. Times are those of the
  // caller's clock alone, so ranks' clocks need not agree.
  std::optional<Late> look(std::span<const RankRecord> ranks, double now_s);

 private:
  std::int64_t number_ = 0;  // of the collective that was found last
  double since_s_ = 0;
};

std::string name_of(const Late& late);  // "all-reduce 57 (1.0 MiB)"

// "ranks 1 (node-2, at 55), 3 (node-2, at 56, 2 more queued) have not reached it", or that all have. A rank that has
// nothing queued is held up on the host; one that has, on its GPU.
std::string who_is_missing(const Late& late, std::span<const RankRecord> ranks);

}  // namespace lockstep::runner
