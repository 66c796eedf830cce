// Training steps given to the device as a recording each (a CUDA graph): one call in place of one for each kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "kernels/device.hpp"
#include "runner/collective/device_sums.hpp"

namespace lockstep::runner {

class RecordedSteps {
 public:
  // `sums` is null when there is one rank. All must outlive it.
  RecordedSteps(kernels::Device& device, kernels::Stream& stream, DeviceSums* sums);

  // Steps of one kind give the device the same work: what differs between them lies in device memory
  // (kernels/step_numbers.hpp). Batches come from two places in turn (data/upload.hpp), and an epoch's last may be
  // smaller.
  struct Kind {
    const float* images = nullptr;
    std::int64_t global_count = 0;
    auto operator<=>(const Kind&) const = default;
  };
  // Queues what `work` queues. The first of a kind is as it comes, so that everything is there which is made at first
  // use; the second is recorded, and run from then on.
  void run(const Kind& kind, const std::function<void()>& work);

 private:
  struct Step {
    std::unique_ptr<kernels::Recording> recording;
    std::function<void()> start_sums;
  };
  Step record(const std::function<void()>& work);

  kernels::Device& device_;
  kernels::Stream& stream_;
  DeviceSums* sums_;
  std::map<Kind, Step> steps_;
};

}  // namespace lockstep::runner
