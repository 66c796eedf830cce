// Sums over ranks of numbers in a device's memory. They are queued like any other work of a device: the training loop
// gives them away and goes on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "kernels/device.hpp"
#include "runner/collective/collective.hpp"

namespace lockstep::runner {

// Whether gradients are summed while the backward pass still runs.
enum class Overlap { off, on };

class DeviceSums {
 public:
  virtual ~DeviceSums() = default;

  // `values` (device memory) become their sum over all ranks, once the work that `after` has by now is done. They
  // belong to the sum until join(). All ranks start the same sums in the same order.
  virtual void start(std::span<float> values, kernels::Stream& after) = 0;

  // A sum that needs the host's help (MPI) goes on as far as it can without waiting.
  virtual void progress() = 0;

  // Whatever `before` is given from here on runs after every sum that was started. The host waits only where the memory
  // is its own.
  virtual void join(kernels::Stream& before) = 0;

  // Sums started so far: equal on all ranks. What names a late sum.
  virtual std::int64_t started() const = 0;

  // While kernels::Device::record makes a recording, between these two calls, sums become part of it. What
  // end_recording() gives is called before each run of it, and starts its sums as far as the host is concerned. Throws
  // failure where sums need the host.
  virtual void begin_recording() = 0;
  virtual std::function<void()> end_recording() = 0;
};

// Of memory that is the host's, by the ranks' own collective. Overlap::off: start() has the sum when it returns.
std::unique_ptr<DeviceSums> make_host_sums(Collective& ranks, Overlap overlap);

}  // namespace lockstep::runner
