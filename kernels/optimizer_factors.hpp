// The numbers of an AdamW step that are the same for every parameter, computed once, on the host, for every back-end.
#pragma once

#include "kernels/optimizers.hpp"

namespace lockstep::kernels {

// p = keep * p - rate * (m * correction1) / (sqrt(v * correction2) + epsilon), all in float32 without fused
// multiply-add: the same bits from every back-end.
struct AdamWFactors {
  float keep;  // adamw_keep, or 1
  float rate;
  float beta1;
  float beta2;
  float correction1;  // 1 / (1 - beta1^t)
  float correction2;
  float epsilon;
  float scale;
};

// Clipping's gradient scale; root: of the sum of squares. Device code calls it, too.
constexpr float clipped_scale(float scale, float max_norm, double root) {
  const double norm = static_cast<double>(scale) * root;
  if (norm <= static_cast<double>(max_norm)) return scale;
  return static_cast<float>(static_cast<double>(scale) * (static_cast<double>(max_norm) / norm));
}

StepNumbers step_numbers(std::uint64_t step, float learning_rate, float beta1, float beta2);

// The step's own learning rate and number; whoever has step.now puts those in their place (at_now).
AdamWFactors adamw_factors(const AdamWStep& step);  // keep: of a range without decay
constexpr void at_now(AdamWFactors& factors, const StepNumbers& now) {
  factors.rate = now.learning_rate;
  factors.correction1 = now.correction1;
  factors.correction2 = now.correction2;
}
constexpr float adamw_keep(float rate, float weight_decay) { return 1 - rate * weight_decay; }  // of a range with decay

}  // namespace lockstep::kernels
