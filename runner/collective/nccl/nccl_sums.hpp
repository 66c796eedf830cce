// Sums over GPUs by NCCL, on a stream of their own beside the computing one, under the eyes of a watchdog.
#pragma once

#include <memory>

#include "runner/collective/collective.hpp"
#include "runner/collective/sharded_sums.hpp"
#include "runner/options.hpp"

namespace lockstep::runner {

struct NcclOptions {
  double warn_s = 30;      // a collective that takes longer is named, with the ranks that it waits for
  double timeout_s = 600;  // one that takes longer than this ends the job
  kernels::DataType gradients = kernels::DataType::f32;  // as what they travel: each rank's are rounded to it, and sums
};

// Collective. `device` must be a CUDA device, the calling thread's current one, and no other rank's; `ranks` and
// `device` outlive the sums. Throws failure when NCCL can't connect the ranks.
//
// Nothing here waits for the GPU. A sum that fails or never ends (a rank that stands still or is gone, a broken
// network) ends the job: one message, then Collective::abort(1). Sums that are destroyed by an exception are given up,
// so that no rank waits for another one's error.
//
// All ranks end with the same bits: NCCL's rings and trees add each number up in one place. The order of a sum is
// NCCL's choice, by size, number and connection of the ranks.
std::unique_ptr<ShardedSums> make_nccl_sums(Collective& ranks, kernels::Device& device, const NcclOptions& options);

// The same as a program's options say.
std::unique_ptr<ShardedSums> make_gpu_sums(const Options& options, Collective& ranks, kernels::Device& device);

}  // namespace lockstep::runner
