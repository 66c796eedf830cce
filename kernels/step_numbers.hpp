// What changes from one training step to the next, in the device's memory: so that a recorded step (Device::record) can
// be run again and be the next one.
#pragma once

#include <cstdint>

namespace lockstep::kernels {

struct StepNumbers {
  std::uint64_t step = 0;  // from 0, over the whole run: keys the dropout stream
  float learning_rate = 0;
  float correction1 = 1;  // AdamW's 1 / (1 - beta1^(step + 1))
  float correction2 = 1;  // and 1 / (1 - beta2^(step + 1))
};

}  // namespace lockstep::kernels
