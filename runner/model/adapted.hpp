// A tensor in the layout that an operation wants: itself where that is its own layout, otherwise a copy.
#pragma once

#include <memory>

#include "kernels/kernels.hpp"

namespace lockstep::runner {

class AdaptedInput {
 public:
  AdaptedInput(kernels::Device& device, const kernels::LayoutPtr& given, const kernels::LayoutPtr& wanted);
  // The tensor in the wanted layout, copied now if need be. Valid until the next call.
  kernels::ConstView of(kernels::ConstView given, kernels::Stream& stream);
  // What the last of() returned.
  kernels::ConstView last() const { return last_; }

 private:
  kernels::LayoutPtr wanted_;
  std::unique_ptr<kernels::Reorder> reorder_;  // null: no copy
  kernels::Buffer copy_;
  kernels::ConstView last_;
};

class AdaptedOutput {
 public:
  AdaptedOutput(kernels::Device& device, const kernels::LayoutPtr& given, const kernels::LayoutPtr& wanted);
  // Where the operation shall write, and afterwards: bring it to `given`.
  kernels::View target(kernels::View given);
  void deliver(kernels::View given, kernels::Stream& stream);

 private:
  kernels::LayoutPtr wanted_;
  std::unique_ptr<kernels::Reorder> reorder_;
  kernels::Buffer copy_;
};

}  // namespace lockstep::runner
