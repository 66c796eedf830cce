// Every kernel of the CUDA back-end at a size that is large enough to count: what it is held to, and what the tables of
// docs/gpu-kernels.md are made from.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/kernels.hpp"
#include "tests/ptx/interpreter/interpreter.hpp"

namespace lockstep::ptx {

struct TrafficCase {
  std::string kernel;  // as it is launched
  std::string shape;
  double elements;      // by which its instructions are divided
  double stated_bytes;  // of global memory that it moves, as the header of its source derives them
  std::function<void(kernels::Device&, kernels::Stream&)> run;
};
const std::vector<TrafficCase>& traffic_cases();

// The parts of it.
std::vector<TrafficCase> arena_cases();
std::vector<TrafficCase> layer_cases();
std::vector<TrafficCase> transformer_cases();

// What all launches of the case's kernel did together, and the grid of the last of them.
LaunchRecord measure(const TrafficCase& what);

}  // namespace lockstep::ptx
