#include "runner/model/adapted.hpp"

namespace lockstep::runner {

using kernels::ConstView;
using kernels::LayoutPtr;
using kernels::Stream;
using kernels::View;

AdaptedInput::AdaptedInput(kernels::Device& device, const LayoutPtr& given, const LayoutPtr& wanted) : wanted_(wanted) {
  if (given->same_as(*wanted)) return;
  reorder_ = kernels::make_reorder(device, given, wanted);
  copy_ = device.allocate(wanted->bytes());
}

ConstView AdaptedInput::of(ConstView given, Stream& stream) {
  last_ = {reorder_ ? copy_.data() : given.data, wanted_.get()};
  if (reorder_) reorder_->run(given, {copy_.data(), wanted_.get()}, stream);
  return last_;
}

AdaptedOutput::AdaptedOutput(kernels::Device& device, const LayoutPtr& given, const LayoutPtr& wanted)
    : wanted_(wanted) {
  if (given->same_as(*wanted)) return;
  reorder_ = kernels::make_reorder(device, wanted, given);
  copy_ = device.allocate(wanted->bytes());
}

View AdaptedOutput::target(View given) { return {reorder_ ? copy_.data() : given.data, wanted_.get()}; }

void AdaptedOutput::deliver(View given, Stream& stream) {
  if (reorder_) reorder_->run({copy_.data(), wanted_.get()}, given, stream);
}

}  // namespace lockstep::runner
