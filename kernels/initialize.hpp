// Initial weights: a pure function of (seed, tensor, element), equal on every rank and every machine.
#pragma once

#include <cstdint>
#include <span>

namespace lockstep::kernels {

// Bounds b of the uniform distribution over [-b, b).
float he_bound(std::int64_t fan_in);                            // before a ReLU: He et al. 2015
float glorot_bound(std::int64_t fan_in, std::int64_t fan_out);  // elsewhere: Glorot and Bengio 2010

// Host memory. `tensor` tells the tensors of a model apart.
void fill_uniform(std::span<float> values, float bound, std::uint64_t seed, std::uint32_t tensor);

}  // namespace lockstep::kernels
