// Batches on their way to the device: copied beside the computing, one ahead of it. Where the device's memory is the
// host's, nothing is copied.
#pragma once

#include <memory>

#include "kernels/device.hpp"
#include "runner/data/prefetch.hpp"

namespace lockstep::runner {

class Upload {
 public:
  // For batches of up to `most` images; `compute` is the stream that reads them. Both must outlive it.
  Upload(kernels::Device& device, kernels::Stream& compute, int most, std::size_t image_size);

  // The batch, and the numbers of its step, where the device reads them; what `compute` is given from here on finds
  // them there, until the call after the following one. `batch` must stay as it is until then, too. Places alternate
  // between two.
  BatchView put(const BatchView& batch, const kernels::StepNumbers& now = {});
  // The host waits until the batch of the call before the last has been copied: whoever loads may write over it.
  void wait_for_the_one_before();

 private:
  struct Slot {
    kernels::Buffer images;
    kernels::Buffer labels;
    kernels::Buffer now_here;  // on the host
    kernels::Buffer now;       // empty where the device's memory is the host's, as images and labels are
    std::unique_ptr<kernels::Event> copied;
    std::unique_ptr<kernels::Event> used;  // all that `compute` had when the following batch came
  };
  Slot& slot(std::int64_t number) { return slots_[number % 2]; }

  kernels::Device& device_;
  kernels::Stream& compute_;
  std::unique_ptr<kernels::Stream> copies_;
  Slot slots_[2];
  std::int64_t put_ = 0;
};

}  // namespace lockstep::runner
