// Exchanges the last two axes of (outer, rows, columns): how plain images become channels-last ones, and back.
#pragma once

#include <cstdint>

#include "kernels/device.hpp"

namespace lockstep::kernels::cuda {

// to (outer, columns, rows) = from (outer, rows, columns). `to` must not be `from`. T: float or Bf16.
template <class T>
void transpose(const T* from, T* to, std::int64_t outer, std::int64_t rows, std::int64_t columns, Stream& stream);

}  // namespace lockstep::kernels::cuda
