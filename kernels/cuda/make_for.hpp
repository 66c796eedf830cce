// From a data type that is known at run time to the class that computes in it.
#pragma once

#include <memory>
#include <utility>

#include "kernels/bf16.hpp"
#include "kernels/device.hpp"

namespace lockstep::kernels::cuda {

// A Plan<float> or a Plan<Bf16>, as `type` says.
template <class Operation, template <class> class Plan, class... Arguments>
std::unique_ptr<Operation> make_for(DataType type, Arguments&&... arguments) {
  if (type == DataType::bf16) return std::make_unique<Plan<Bf16>>(std::forward<Arguments>(arguments)...);
  return std::make_unique<Plan<float>>(std::forward<Arguments>(arguments)...);
}

}  // namespace lockstep::kernels::cuda
