// Operations over whole arenas: optimizer steps, norms, scaling, casts. Every result is the same bits on every x86-64
// machine (no fused multiply-add, a fixed order of sums), so that ranks on different machines never drift apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "kernels/bf16.hpp"
#include "kernels/device.hpp"
#include "kernels/step_numbers.hpp"

namespace lockstep::kernels {

// [begin, end) in floats. Ranges given to an optimizer are ascending and do not overlap; what lies between them stays
// as it is.
struct ParameterRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool decay = true;
};

// For back-ends. Throws Error when an arena of one of these sizes (in floats) ends before the last range does.
void expect_room(const std::vector<ParameterRange>& ranges, std::initializer_list<std::size_t> sizes);
// Throws Error when two arenas of one operation have not one length; `what` names it.
void expect_one_length(std::size_t a, std::size_t b, const char* what);

// Clipping by the global norm, without the host: gradient_scale becomes
// gradient_scale * min(1, max_norm / norm), norm = gradient_scale * sqrt(*sum_of_squares). A NaN norm makes every
// parameter NaN, so that nobody takes it for a step.
struct Clipping {
  const double* sum_of_squares = nullptr;  // device memory, as ArenaMath gives it; null: no clipping
  float max_norm = 0;
};

// g' = gradient_scale * g + weight_decay * p (decay ranges only); v = momentum * v + g'; p -= learning_rate * v.
// (Sutskever et al. 2013 as PyTorch's SGD has it: no dampening, no Nesterov.) The velocity starts as zeros.
struct SgdStep {
  float learning_rate = 0;
  float momentum = 0;
  float weight_decay = 0;
  float gradient_scale = 1;
  Clipping clipping = {};
  std::span<Bf16> copy = {};  // of the parameters, rounded, in an arena of the same places; empty: none is wanted
  const StepNumbers* now = nullptr;  // device memory; where given, its learning rate is the step's
};
class Sgd {
 public:
  virtual ~Sgd() = default;
  virtual void run(std::span<float> parameters, std::span<const float> gradients, std::span<float> velocity,
                   const SgdStep& step, Stream& stream) = 0;
};
std::unique_ptr<Sgd> make_sgd(Device& device, std::vector<ParameterRange> ranges);

// Loshchilov and Hutter 2019, algorithm 2, as PyTorch's AdamW has it: p -= learning_rate * weight_decay * p, then
// p -= learning_rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon). m and v start as zeros.
struct AdamWStep {
  float learning_rate = 0;
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float epsilon = 1e-8F;
  float weight_decay = 0;
  float gradient_scale = 1;
  std::uint64_t t = 1;  // this step's number, from 1
  Clipping clipping = {};
  std::span<Bf16> copy = {};         // as SgdStep's
  const StepNumbers* now = nullptr;  // device memory; where given, its learning rate and corrections are the step's
};
class AdamW {
 public:
  virtual ~AdamW() = default;
  virtual void run(std::span<float> parameters, std::span<const float> gradients, std::span<float> m,
                   std::span<float> v, const AdamWStep& step, Stream& stream) = 0;
};
std::unique_ptr<AdamW> make_adamw(Device& device, std::vector<ParameterRange> ranges);

class ArenaMath {
 public:
  virtual ~ArenaMath() = default;
  virtual void zero(std::span<float> x, Stream& stream) = 0;
  virtual void scale(std::span<float> x, float factor, Stream& stream) = 0;
  virtual void add(std::span<float> x, std::span<const float> y, Stream& stream) = 0;  // x += y, of one length
  // *result (device memory) = the sum of squares, in double precision; the square root of it is the global norm.
  virtual void sum_of_squares(std::span<const float> x, double* result, Stream& stream) = 0;
};
std::unique_ptr<ArenaMath> make_arena_math(Device& device);

// Between float32 and bfloat16 (kernels/bf16.hpp has the rounding). Both spans have one length.
class Cast {
 public:
  virtual ~Cast() = default;
  virtual void narrow(std::span<const float> from, std::span<Bf16> to, Stream& stream) = 0;
  virtual void widen(std::span<const Bf16> from, std::span<float> to, Stream& stream) = 0;
};
std::unique_ptr<Cast> make_cast(Device& device);

}  // namespace lockstep::kernels
