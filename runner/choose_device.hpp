// What a rank computes on.
#pragma once

#include <memory>
#include <string>

#include "kernels/device.hpp"
#include "runner/collective/device_sums.hpp"
#include "runner/instruction_set.hpp"
#include "runner/options.hpp"

namespace lockstep::runner {

struct ChosenDevice {
  std::unique_ptr<kernels::Device> device;
  std::string line;          // what it is, and why it is no GPU where one was looked for
  AgreedInstructionSet isa;  // of CPUs; empty for GPUs
};

// Collective. As --device says: a rank's GPU is that of its place among the ranks on its machine. Throws AgreedError,
// naming ranks, when some have no GPU, or two would share one.
ChosenDevice choose_device(const Options& options, Collective& collective);

Overlap overlap_of(const Options& options, const Collective& collective, const kernels::Device& device);

}  // namespace lockstep::runner
