// The numbers of an AdamW step that are the same for every parameter, computed once, on the host, for every back-end.
#pragma once

#include "kernels/optimizers.hpp"

namespace lockstep::kernels {

// p = keep * p - rate * (m * correction1) / (sqrt(v * correction2) + epsilon), all in float32 without fused
// multiply-add: the same bits from every back-end.
struct AdamWFactors {
  float keep;  // adamw_keep
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

AdamWFactors adamw_factors(const AdamWStep& step);  // keep: of a range without decay
float adamw_keep(const AdamWStep& step, bool decay);

}  // namespace lockstep::kernels
