// Numbers in a device's memory where the host can read and write them: in place on a CPU, as a copy of a GPU's.
#pragma once

#include <span>

#include "kernels/device.hpp"

namespace lockstep::runner {

class HostCopy {
 public:
  // Waits for the stream, then has the numbers. The device's memory outlives it.
  HostCopy(kernels::Device& device, kernels::Stream& stream, std::span<float> values);

  std::span<float> values() { return host_; }
  std::span<const float> values() const { return host_; }
  // What was written to values() is the device's when this returns.
  void give_back();

 private:
  kernels::Device& device_;
  kernels::Stream& stream_;
  std::span<float> there_;
  kernels::Buffer copy_;  // empty where the device's memory is the host's
  std::span<float> host_;
};

}  // namespace lockstep::runner
