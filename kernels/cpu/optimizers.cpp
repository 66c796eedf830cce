// Optimizer steps, element by element over each range of the arenas.
#include "kernels/optimizers.hpp"

#include <cmath>

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

class CpuSgd : public Sgd {
 public:
  explicit CpuSgd(std::vector<ParameterRange> ranges) : ranges_(std::move(ranges)) {}

  void run(std::span<float> parameters, std::span<const float> gradients, std::span<float> velocity,
           const SgdStep& step, Stream& /*stream*/) override {
    expect_room(ranges_, {parameters.size(), gradients.size(), velocity.size()});
    for (const ParameterRange& range : ranges_) {
      sgd(&parameters[range.begin], &gradients[range.begin], &velocity[range.begin], range.end - range.begin,
          step.learning_rate, step.momentum, range.decay ? step.weight_decay : 0, step.gradient_scale);
    }
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
    AdamWFactors factors = adamw_factors(step);
    for (const ParameterRange& range : ranges_) {
      factors.keep = adamw_keep(step, range.decay);
      adamw(&parameters[range.begin], &gradients[range.begin], &m[range.begin], &v[range.begin],
            range.end - range.begin, factors);
    }
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
