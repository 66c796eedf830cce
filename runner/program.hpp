// lockstep-train as a function.
#pragma once

#include <functional>
#include <memory>

#include "common/error.hpp"
#include "runner/collective/sharded_sums.hpp"
#include "runner/model/model.hpp"
#include "runner/options.hpp"

namespace lockstep::runner {

using ModelFactory = std::function<std::unique_ptr<Model>(const ModelSpec&, int max_batch, kernels::Device&)>;

// Sums over ranks of a GPU's memory (runner/collective/nccl); a program without a CUDA back-end has none.
using MakeGpuSums = std::function<std::unique_ptr<ShardedSums>(const Options&, Collective&, kernels::Device&)>;

// Trains as the options say. Collective. Returns done or stopped_early; throws AgreedError when all ranks know of a
// failure, anything else when only this rank does (then the others must be taken down).
ExitCode train(const Options& options, Collective& collective, const ModelFactory& make_model,
               const MakeGpuSums& make_gpu_sums = {});

// The whole program: parses, trains, prints errors, leaves with the code of style.md's table.
struct Parts {
  MakeGpuSums make_gpu_sums;
  // Tests put their own collective around the real one.
  std::function<std::unique_ptr<Collective>(std::unique_ptr<Collective>)> decorate;
};
int run_program(int argc, char** argv, const Parts& parts = {});

}  // namespace lockstep::runner
