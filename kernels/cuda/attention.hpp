// Launchers of attention's kernels (attention_forward.cu, attention_backward.cu), for attention.cpp. T: float or Bf16.
#pragma once

#include "kernels/bf16.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/transformer.hpp"

namespace lockstep::kernels::cuda {

template <class T>
void attention_forward(const AttentionShape& shape, const T* qkv, T* out, float* log_sum_exp, Stream& stream);

// along: (batch, heads, length) floats to work with.
template <class T>
void attention_backward(const AttentionShape& shape, const T* qkv, const T* out, const float* log_sum_exp,
                        const T* dout, float* along, T* dqkv, Stream& stream);

}  // namespace lockstep::kernels::cuda
