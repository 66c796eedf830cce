// Loops between float32 and bfloat16.
#pragma once

#include <cstddef>

#include "kernels/bf16.hpp"

namespace lockstep::kernels::cpu {

void narrow_all(const float* from, Bf16* to, std::size_t count);

}  // namespace lockstep::kernels::cpu
