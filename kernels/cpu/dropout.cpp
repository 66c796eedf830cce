// Dropout. Element (row, column) draws word (column mod 4) of philox(counter, key) with
// counter = (column / 4, sample, step mod 2^32, layer + 2^16 * (step / 2^32)), sample = first_sample + row.
#include <cmath>

#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/operations.hpp"
#include "kernels/philox.hpp"

namespace lockstep::kernels::cpu {
namespace {

// philox4x32 for kLanes consecutive first words of the counter at once.
inline void philox_lanes(std::uint32_t block, const std::uint32_t* rest, PhiloxKey key,
                         std::uint32_t (&out)[4][kLanes]) {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    out[0][lane] = block + static_cast<std::uint32_t>(lane);
    out[1][lane] = rest[0];
    out[2][lane] = rest[1];
    out[3][lane] = rest[2];
  }
  for (int round = 0; round < 10; ++round) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * out[0][lane];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * out[2][lane];
      out[0][lane] = static_cast<std::uint32_t>(product1 >> 32U) ^ out[1][lane] ^ key[0];
      out[1][lane] = static_cast<std::uint32_t>(product1);
      out[2][lane] = static_cast<std::uint32_t>(product0 >> 32U) ^ out[3][lane] ^ key[1];
      out[3][lane] = static_cast<std::uint32_t>(product0);
    }
    key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
  }
}

LOCKSTEP_VECTOR_CLONES void dropout_row(const float* x, float* y, std::int64_t columns, const std::uint32_t* rest,
                                        const std::uint32_t* key, std::uint32_t threshold, float scale) {
  std::uint32_t words[4][kLanes];
  for (std::int64_t begin = 0; begin < columns; begin += 4 * kLanes) {
    philox_lanes(static_cast<std::uint32_t>(begin / 4), rest, {key[0], key[1]}, words);
    const std::int64_t left = columns - begin;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(4 * kLanes) && i < left; ++i) {
      y[begin + i] = words[i % 4][i / 4] >= threshold ? x[begin + i] * scale : 0;
    }
  }
}

class CpuDropout : public Dropout {
 public:
  CpuDropout(LayoutPtr layout, float rate)
      : layout_(std::move(layout)),
        threshold_(static_cast<std::uint32_t>(std::ldexp(static_cast<double>(rate), 32))),
        scale_(1 / (1 - rate)) {}

  void forward(ConstView x, View y, const DropoutKey& key, Stream& /*stream*/) override {
    expect(x, layout_, "dropout forward: x");
    expect(y, layout_, "dropout forward: y");
    apply(x.f32(), y.f32(), key);
  }

  void backward(ConstView dy, View dx, const DropoutKey& key, Stream& /*stream*/) override {
    expect(dy, layout_, "dropout backward: dy");
    expect(dx, layout_, "dropout backward: dx");
    apply(dy.f32(), dx.f32(), key);
  }

 private:
  void apply(const float* from, float* to, const DropoutKey& key) const {
    const PhiloxKey philox = philox_key(key.seed, RandomPurpose::dropout);
    const std::uint64_t step = key.now != nullptr ? key.now->step : key.step;
    const std::int64_t columns = layout_->shape()[1];
    for (std::int64_t row = 0; row < layout_->shape()[0]; ++row) {
      const std::uint32_t rest[3] = {static_cast<std::uint32_t>(key.first_sample + row),
                                     static_cast<std::uint32_t>(step),
                                     key.layer + (static_cast<std::uint32_t>(step >> 32U) << 16U)};
      dropout_row(from + row * columns, to + row * columns, columns, rest, philox.data(), threshold_, scale_);
    }
  }

  LayoutPtr layout_;
  std::uint32_t threshold_;  // dropped below it: rate * 2^32
  float scale_;
};

}  // namespace

std::unique_ptr<Dropout> make_dropout(const LayoutPtr& layout, float rate) {
  return std::make_unique<CpuDropout>(layout, rate);
}

}  // namespace lockstep::kernels::cpu
