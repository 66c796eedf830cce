// Zeroing, scaling, sums and norms over arenas.
#include <cstring>

#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/operations.hpp"

namespace lockstep::kernels::cpu {
namespace {

LOCKSTEP_VECTOR_CLONES void scale_all(float* x, std::size_t count, float factor) {
  for (std::size_t i = 0; i < count; ++i) x[i] *= factor;
}

LOCKSTEP_VECTOR_CLONES void add_all(float* x, const float* y, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) x[i] += y[i];
}

LOCKSTEP_VECTOR_CLONES double squares(const float* x, std::size_t count) {
  double lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = static_cast<double>(x[i + lane]);
      lanes[lane] += value * value;
    }
  }
  for (std::size_t lane = 0; i < count; ++i, ++lane)
    lanes[lane] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum_of_lanes(lanes);
}

class CpuArenaMath : public ArenaMath {
 public:
  void zero(std::span<float> x, Stream& /*stream*/) override {
    if (!x.empty()) std::memset(x.data(), 0, x.size_bytes());
  }
  void scale(std::span<float> x, float factor, Stream& /*stream*/) override { scale_all(x.data(), x.size(), factor); }
  void add(std::span<float> x, std::span<const float> y, Stream& /*stream*/) override {
    expect_one_length(x.size(), y.size(), "adding arenas");
    add_all(x.data(), y.data(), x.size());
  }
  void sum_of_squares(std::span<const float> x, double* result, Stream& /*stream*/) override {
    *result = squares(x.data(), x.size());
  }
};

}  // namespace

std::unique_ptr<ArenaMath> make_arena_math() { return std::make_unique<CpuArenaMath>(); }

}  // namespace lockstep::kernels::cpu
