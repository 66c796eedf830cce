// The batches of this rank, assembled one ahead by a thread of their own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "runner/aligned.hpp"
#include "runner/data/image_set.hpp"
#include "runner/data/order.hpp"

namespace lockstep::runner {

struct LoadedBatch {
  AlignedFloats images;  // room for the largest batch; the first `count` are set
  std::vector<std::int32_t> labels;
  std::size_t image_size = 0;  // in floats
  int count = 0;               // of this rank; 0 when the global batch has fewer samples than ranks
  std::int64_t first_in_global = 0;
  std::int64_t global_count = 0;

  Batch view() const { return {images.data(), labels.data(), count, first_in_global}; }
  // What this rank has of a range of the global batch.
  Batch part(Range range) const {
    const auto skipped = static_cast<std::size_t>(range.begin - first_in_global);
    return {images.data() + skipped * image_size, labels.data() + skipped, static_cast<int>(range.size()), range.begin};
  }
};

// Scales the images at `positions` into a batch.
void load_batch(const ImageSet& set, const Scaling& scaling, const std::uint32_t* positions, int count,
                LoadedBatch& out);

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
  // Batches of steps first_step, first_step + 1, ... (over all epochs) up to, not including, end_step. Set and scaling
  // must outlive it.
  Prefetcher(const ImageSet& set, const Scaling& scaling, const TrainingOrder& order, std::int64_t first_step,
             std::int64_t end_step);
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // The next step's batch, valid until the following call.
  const LoadedBatch& next();

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

  LoadedBatch slots_[2];  // one is in the caller's hands, the other is being filled or full
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t loaded_ = 0;  // batches assembled
  std::int64_t taken_ = 0;   // batches handed out
  bool stop_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace lockstep::runner
