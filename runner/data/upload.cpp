#include "runner/data/upload.hpp"

namespace lockstep::runner {

Upload::Upload(kernels::Device& device, kernels::Stream& compute, int most, std::size_t image_size)
    : device_(device), compute_(compute), copies_(device.make_stream()) {
  for (Slot& each : slots_) each.now_here = device.allocate_host(sizeof(kernels::StepNumbers));
  if (device.memory_is_the_hosts()) return;
  for (Slot& each : slots_) {
    each.now = device.allocate(sizeof(kernels::StepNumbers));
    each.images = device.allocate(static_cast<std::size_t>(most) * image_size * sizeof(float));
    each.labels = device.allocate(static_cast<std::size_t>(most) * sizeof(std::int32_t));
    each.copied = device.make_event();
    each.used = device.make_event();
  }
}

BatchView Upload::put(const BatchView& batch, const kernels::StepNumbers& now) {
  if (put_ > 0 && !device_.memory_is_the_hosts()) slot(put_ - 1).used->record(compute_);
  Slot& here = slot(put_++);
  here.now_here.as<kernels::StepNumbers>().front() = now;
  BatchView there = batch;
  there.now = static_cast<const kernels::StepNumbers*>(here.now_here.data());
  if (device_.memory_is_the_hosts()) return there;
  here.used->hold_back(*copies_);
  const auto images = static_cast<std::size_t>(batch.count) * batch.image_size * sizeof(float);
  device_.copy(here.images.data(), batch.images, images, *copies_);
  device_.copy(here.labels.data(), batch.labels, static_cast<std::size_t>(batch.count) * sizeof(std::int32_t),
               *copies_);
  device_.copy(here.now.data(), here.now_here.data(), here.now.bytes(), *copies_);
  here.copied->record(*copies_);
  here.copied->hold_back(compute_);
  there.now = static_cast<const kernels::StepNumbers*>(here.now.data());
  there.images = static_cast<const float*>(here.images.data());
  there.labels = static_cast<const std::int32_t*>(here.labels.data());
  return there;
}

void Upload::wait_for_the_one_before() {
  if (!device_.memory_is_the_hosts() && put_ > 1) slot(put_ - 2).copied->wait();
}

}  // namespace lockstep::runner
