// Optimizer steps, element by element over each range of the arenas.
#include "kernels/optimizers.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/cast.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/operations.hpp"
#include "kernels/optimizer_factors.hpp"

namespace lockstep::kernels::cpu {
namespace {

LOCKSTEP_VECTOR_CLONES void sgd(float* __restrict p, const float* __restrict g, float* __restrict v, std::size_t count,
                                float rate, float momentum, float decay, float scale) {
  for (std::size_t i = 0; i < count; ++i) {
    v[i] = momentum * v[i] + (scale * g[i] + decay * p[i]);
    p[i] -= rate * v[i];
  }
}

LOCKSTEP_VECTOR_CLONES void adamw(float* __restrict p, const float* __restrict g, float* __restrict m,
                                  float* __restrict v, std::size_t count, const AdamWFactors& with) {
  const AdamWFactors f = with;
  for (std::size_t i = 0; i < count; ++i) {
    const float gradient = f.scale * g[i];
    m[i] = f.beta1 * m[i] + (1 - f.beta1) * gradient;
    v[i] = f.beta2 * v[i] + (1 - f.beta2) * (gradient * gradient);
    p[i] = f.keep * p[i] - f.rate * (m[i] * f.correction1) / (std::sqrt(v[i] * f.correction2) + f.epsilon);
  }
}

float scale_of(float gradient_scale, const Clipping& clipping) {
  if (clipping.sum_of_squares == nullptr) return gradient_scale;
  return clipped_scale(gradient_scale, clipping.max_norm, std::sqrt(*clipping.sum_of_squares));
}

// Calls step(begin, count, decay) for parts of the ranges that stay in the cache until they are copied.
template <class Step>
void for_parts(const std::vector<ParameterRange>& ranges, std::span<const float> parameters, std::span<Bf16> copy,
               Step step) {
  constexpr std::size_t part = 4096;
  for (const ParameterRange& range : ranges) {
    for (std::size_t begin = range.begin; begin < range.end; begin += part) {
      const std::size_t count = std::min(part, range.end - begin);
      step(begin, count, range.decay);
      if (!copy.empty()) narrow_all(&parameters[begin], &copy[begin], count);
    }
  }
}

class CpuSgd : public Sgd {
 public:
  explicit CpuSgd(std::vector<ParameterRange> ranges) : ranges_(std::move(ranges)) {}

  void run(std::span<float> parameters, std::span<const float> gradients, std::span<float> velocity,
           const SgdStep& step, Stream& /*stream*/) override {
    expect_room(ranges_, {parameters.size(), gradients.size(), velocity.size()});
    if (!step.copy.empty()) expect_room(ranges_, {step.copy.size()});
    const float scale = scale_of(step.gradient_scale, step.clipping);
    const float rate = step.now != nullptr ? step.now->learning_rate : step.learning_rate;
    for_parts(ranges_, parameters, step.copy, [&](std::size_t begin, std::size_t count, bool decay) {
      sgd(&parameters[begin], &gradients[begin], &velocity[begin], count, rate, step.momentum,
          decay ? step.weight_decay : 0, scale);
    });
  }

 private:
  std::vector<ParameterRange> ranges_;
};

class CpuAdamW : public AdamW {
 public:
  explicit CpuAdamW(std::vector<ParameterRange> ranges) : ranges_(std::move(ranges)) {}

  void run(std::span<float> parameters, std::span<const float> gradients, std::span<float> m, std::span<float> v,
           const AdamWStep& step, Stream& /*stream*/) override {
    expect_room(ranges_, {parameters.size(), gradients.size(), m.size(), v.size()});
    if (!step.copy.empty()) expect_room(ranges_, {step.copy.size()});
    AdamWFactors factors = adamw_factors(step);
    if (step.now != nullptr) at_now(factors, *step.now);
    factors.scale = scale_of(step.gradient_scale, step.clipping);
    for_parts(ranges_, parameters, step.copy, [&](std::size_t begin, std::size_t count, bool decay) {
      factors.keep = decay ? adamw_keep(factors.rate, step.weight_decay) : 1;
      adamw(&parameters[begin], &gradients[begin], &m[begin], &v[begin], count, factors);
    });
  }

 private:
  std::vector<ParameterRange> ranges_;
};

}  // namespace

std::unique_ptr<Sgd> make_sgd(std::vector<ParameterRange> ranges) {
  return std::make_unique<CpuSgd>(std::move(ranges));
}

std::unique_ptr<AdamW> make_adamw(std::vector<ParameterRange> ranges) {
  return std::make_unique<CpuAdamW>(std::move(ranges));
}

}  // namespace lockstep::kernels::cpu
