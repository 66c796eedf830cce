#include "kernels/cpu/cast.hpp"

#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/operations.hpp"

namespace lockstep::kernels::cpu {

LOCKSTEP_VECTOR_CLONES void narrow_all(const float* from, Bf16* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = to_bf16(from[i]);
}

namespace {

LOCKSTEP_VECTOR_CLONES void widen_all(const Bf16* from, float* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = to_f32(from[i]);
}

class CpuCast : public Cast {
 public:
  void narrow(std::span<const float> from, std::span<Bf16> to, Stream& /*stream*/) override {
    expect_one_length(from.size(), to.size(), "cast");
    narrow_all(from.data(), to.data(), from.size());
  }
  void widen(std::span<const Bf16> from, std::span<float> to, Stream& /*stream*/) override {
    expect_one_length(from.size(), to.size(), "cast");
    widen_all(from.data(), to.data(), from.size());
  }
};

}  // namespace

std::unique_ptr<Cast> make_cast() { return std::make_unique<CpuCast>(); }

}  // namespace lockstep::kernels::cpu
