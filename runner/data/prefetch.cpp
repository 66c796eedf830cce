#include "runner/data/prefetch.hpp"

#include <signal.h>

#include <algorithm>

#include "common/error.hpp"

namespace lockstep::runner {

LoadedBatch::LoadedBatch(kernels::Device& device, int most, std::size_t image_size)
    : images_(device.allocate_host(static_cast<std::size_t>(most) * image_size * sizeof(float))),
      labels_(device.allocate_host(static_cast<std::size_t>(most) * sizeof(std::int32_t))) {}

void LoadedBatch::load(const ImageSet& set, const Scaling& scaling, const std::uint32_t* positions, int count,
                       std::int64_t first_in_global, std::int64_t global_count) {
  const std::size_t size = set.image_size();
  auto* const images = static_cast<float*>(images_.data());
  auto* const labels = static_cast<std::int32_t*>(labels_.data());
  for (int i = 0; i < count; ++i) {
    const std::uint8_t* pixels = set.pixels.data() + positions[i] * size;
    float* image = images + static_cast<std::size_t>(i) * size;
    for (std::size_t p = 0; p < size; ++p) image[p] = scaling.table[pixels[p]];
    labels[i] = set.labels[positions[i]];
  }
  view_ = {images, labels, size, count, first_in_global, global_count};
}

int largest_share(std::int64_t global_batch, int ranks) { return static_cast<int>((global_batch + ranks - 1) / ranks); }

// A signal must interrupt the training thread, which looks at the flags, never this one.
static std::thread start_without_signals(auto&& body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(body);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

Prefetcher::Prefetcher(kernels::Device& device, const ImageSet& set, const Scaling& scaling, const TrainingOrder& order,
                       std::int64_t first_step, std::int64_t end_step)
    : set_(set), scaling_(scaling), order_(order), first_step_(first_step), end_step_(end_step) {
  const int most = largest_share(std::min(order.global_batch, set.count()), order.ranks);
  for (LoadedBatch& slot : slots_) slot = LoadedBatch(device, most, set.image_size());
  thread_ = start_without_signals([this] { run(); });
}

Prefetcher::~Prefetcher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

const BatchView& Prefetcher::next() {
  std::unique_lock lock(mutex_);
  if (first_step_ + taken_ >= end_step_) throw failure("asked for a batch after the last step {}", end_step_);
  ++taken_;  // gives back the slot of two batches before
  changed_.notify_all();
  changed_.wait(lock, [&] { return loaded_ >= taken_ || error_; });
  if (error_) std::rethrow_exception(error_);
  return slots_[(taken_ - 1) % slots].view();
}

void Prefetcher::run() try {
  for (std::int64_t batch = 0; first_step_ + batch < end_step_; ++batch) {
    {
      std::unique_lock lock(mutex_);
      // The slot was handed out as batch - slots, and is free once two more were taken.
      changed_.wait(lock, [&] { return stop_ || batch < slots || taken_ >= batch; });
      if (stop_) return;
    }
    assemble(first_step_ + batch, slots_[batch % slots]);
    {
      const std::lock_guard lock(mutex_);
      loaded_ = batch + 1;
    }
    changed_.notify_all();
  }
} catch (...) {
  const std::lock_guard lock(mutex_);
  error_ = std::current_exception();
  changed_.notify_all();
}

void Prefetcher::assemble(std::int64_t step, LoadedBatch& out) {
  const std::int64_t steps = steps_per_epoch(set_.count(), order_.global_batch);
  const std::int64_t epoch = step / steps;
  if (epoch != ordered_epoch_) {
    epoch_order_ = epoch_order(set_.count(), order_.seed, epoch);
    ordered_epoch_ = epoch;
  }
  const Range global = global_batch_range(set_.count(), order_.global_batch, step % steps);
  const Range mine = share_of(global.size(), order_.rank, order_.ranks);
  out.load(set_, scaling_, epoch_order_.data() + global.begin + mine.begin, static_cast<int>(mine.size()), mine.begin,
           global.size());
}

}  // namespace lockstep::runner
