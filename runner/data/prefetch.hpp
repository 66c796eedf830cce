// The batches of this rank, assembled one ahead by a thread of their own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/device.hpp"
#include "kernels/step_numbers.hpp"
#include "runner/data/image_set.hpp"
#include "runner/data/order.hpp"

namespace lockstep::runner {

// A rank's images of a global batch, on the host or in a device's memory.
struct BatchView {
  const float* images = nullptr;
  const std::int32_t* labels = nullptr;
  std::size_t image_size = 0;  // in floats
  int count = 0;               // of this rank; 0 when the global batch has fewer samples than ranks
  std::int64_t first_in_global = 0;
  std::int64_t global_count = 0;
  const kernels::StepNumbers* now = nullptr;  // of the step that trains on it, in the same memory

  Batch whole() const { return {images, labels, count, first_in_global}; }
  // What this rank has of a range of the global batch.
  Batch part(Range range) const {
    const auto skipped = static_cast<std::size_t>(range.begin - first_in_global);
    return {images + skipped * image_size, labels + skipped, static_cast<int>(range.size()), range.begin};
  }
};

// Memory of the host for one batch, from which the device copies at full speed.
class LoadedBatch {
 public:
  LoadedBatch() = default;
  LoadedBatch(kernels::Device& device, int most, std::size_t image_size);

  // Scales the images at `positions` into it.
  void load(const ImageSet& set, const Scaling& scaling, const std::uint32_t* positions, int count,
            std::int64_t first_in_global, std::int64_t global_count);
  const BatchView& view() const { return view_; }

 private:
  kernels::Buffer images_;
  kernels::Buffer labels_;
  BatchView view_;
};

struct TrainingOrder {
  std::uint64_t seed = 1;
  std::int64_t global_batch = 0;
  int rank = 0;
  int ranks = 1;
};

// The largest number of samples that a rank gets in one step.
int largest_share(std::int64_t global_batch, int ranks);

class Prefetcher {
 public:
  // Batches of steps first_step, first_step + 1, ... (over all epochs) up to, not including, end_step. Set, scaling and
  // device must outlive it.
  Prefetcher(kernels::Device& device, const ImageSet& set, const Scaling& scaling, const TrainingOrder& order,
             std::int64_t first_step, std::int64_t end_step);
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // The next step's batch. It stays as it is until the call after the following one, so that a copy of it may still be
  // under way when that one comes.
  const BatchView& next();

 private:
  void run();
  void assemble(std::int64_t step, LoadedBatch& out);

  const ImageSet& set_;
  const Scaling& scaling_;
  TrainingOrder order_;
  std::int64_t first_step_;
  std::int64_t end_step_;
  std::vector<std::uint32_t> epoch_order_;
  std::int64_t ordered_epoch_ = -1;

  static constexpr std::int64_t slots = 3;  // two are in the caller's hands, the third is being filled or full
  LoadedBatch slots_[slots];
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t loaded_ = 0;  // batches assembled
  std::int64_t taken_ = 0;   // batches handed out
  bool stop_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace lockstep::runner
