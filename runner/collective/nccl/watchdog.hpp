// A thread that sees to it that no collective waits for ever. It knows each one that this rank has started; rank 0's
// knows all ranks', warns, names who is late, and ends the job. It calls neither CUDA nor (before the end) MPI.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "runner/collective/nccl/late_collective.hpp"
#include "runner/collective/nccl/nccl_sums.hpp"
#include "runner/collective/nccl/progress_board.hpp"

namespace lockstep::runner {

class Watchdog {
 public:
  struct Eyes {
    std::function<std::int64_t(std::int64_t last)> reached;   // the last collective that the GPU has come to, of `last`
    std::function<std::int64_t(std::int64_t last)> finished;  // and that it is done with
    std::function<std::optional<std::string>()> error;        // what NCCL has to say; none of the three waits
  };
  // Collective. The eyes are used by another thread, until the destructor returns.
  Watchdog(Collective& ranks, const NcclOptions& options, Eyes eyes);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();  // tells the others that this rank leaves, of its own will or with an error that it says itself

  std::int64_t start(Operation operation, std::size_t bytes);  // before it is queued; gives its number, from 1

 private:
  struct Started {
    Operation operation;
    std::int64_t bytes;
  };
  void watch();
  Progress progress();
  bool look_at_nccl();  // these: true when they have ended the job
  bool look_at_all_ranks();
  bool look_at_rank_0();
  bool look_for_the_gone();
  void end_job(const std::string& message, bool ask_nccl = false);

  Collective& ranks_;
  NcclOptions options_;
  Eyes eyes_;
  ProgressBoard board_;
  LateCollective late_;
  std::int64_t warned_of_ = 0;
  std::optional<double> gone_since_s_;

  std::mutex mutex_;
  std::int64_t last_ = 0;
  std::deque<Started> started_;  // those up to last_ that are not known to be done
  Fd wake_;
  std::thread thread_;
};

}  // namespace lockstep::runner
