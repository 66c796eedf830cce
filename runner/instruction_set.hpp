// All ranks of a training compute with one instruction set, so that the same training gives the same bits wherever its
// ranks happened to run.
#pragma once

#include <string>

#include "runner/collective/collective.hpp"
#include "runner/options.hpp"

namespace lockstep::runner {

struct AgreedInstructionSet {
  std::string used;      // by name: kernels/instruction_set.hpp
  std::string of_ranks;  // "rank 1 avx2; ranks 0, 2 avx512_core", what each may use; empty where that is the same
};

// Collective. Of what each rank's CPU has and its --isa and oneDNN's variable allow, the highest that all ranks may
// use; the kernels are held to it from then on. Throws AgreedError, naming the rank, for a CPU without what --isa asks
// for.
AgreedInstructionSet agree_on_instruction_set(const Options& options, Collective& collective);

}  // namespace lockstep::runner
