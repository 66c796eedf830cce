#include "kernels/optimizers.hpp"

#include "common/error.hpp"
#include "kernels/optimizer_factors.hpp"
#include "kernels/plain_math.hpp"

namespace lockstep::kernels {

void expect_room(const std::vector<ParameterRange>& ranges, std::initializer_list<std::size_t> sizes) {
  for (const std::size_t size : sizes) {
    if (!ranges.empty() && size < ranges.back().end) throw failure("an optimizer's arena is smaller than its ranges");
  }
}

void expect_one_length(std::size_t a, std::size_t b, const char* what) {
  if (a != b) throw failure("{}: one arena has {} numbers, the other {}", what, a, b);
}

static float correction(float beta, std::uint64_t t) {
  return static_cast<float>(1 / (1 - power(static_cast<double>(beta), t)));
}

StepNumbers step_numbers(std::uint64_t step, float learning_rate, float beta1, float beta2) {
  return {step, learning_rate, correction(beta1, step + 1), correction(beta2, step + 1)};
}

AdamWFactors adamw_factors(const AdamWStep& step) {
  AdamWFactors factors{};
  factors.keep = 1;
  factors.rate = step.learning_rate;
  factors.beta1 = step.beta1;
  factors.beta2 = step.beta2;
  factors.correction1 = correction(step.beta1, step.t);
  factors.correction2 = correction(step.beta2, step.t);
  factors.epsilon = step.epsilon;
  factors.scale = step.gradient_scale;
  return factors;
}

}  // namespace lockstep::kernels
