#include "runner/recorded_steps.hpp"

namespace lockstep::runner {

RecordedSteps::RecordedSteps(kernels::Device& device, kernels::Stream& stream, DeviceSums* sums)
    : device_(device), stream_(stream), sums_(sums) {}

void RecordedSteps::run(const Kind& kind, const std::function<void()>& work) {
  const auto [at, is_new] = steps_.try_emplace(kind);
  if (is_new) return work();
  Step& step = at->second;
  if (!step.recording) step = record(work);
  step.start_sums();
  step.recording->run(stream_);
}

RecordedSteps::Step RecordedSteps::record(const std::function<void()>& work) {
  if (sums_ == nullptr) return {device_.record(stream_, work), [] {}};
  sums_->begin_recording();
  auto recording = device_.record(stream_, work);
  return {std::move(recording), sums_->end_recording()};
}

}  // namespace lockstep::runner
