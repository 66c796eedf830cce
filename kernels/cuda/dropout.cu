// y = x / (1 - rate) where kept, else 0: the same words of Philox for the same elements as on a CPU (kernels/cpu/
// dropout.cpp has the counter), so both keep the same elements and give the same bits.
// Traffic: 8 bytes an element, each direction.
#include <cmath>

#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/operations.hpp"
#include "kernels/philox.hpp"

namespace lockstep::kernels::cuda {
namespace {

struct DropoutDraw {
  PhiloxKey key;
  std::uint32_t first_sample;
  std::uint32_t step;
  std::uint32_t layer;
  std::uint32_t threshold;  // dropped below it: rate * 2^32
  float scale;              // of what is kept
};

// A thread draws for four columns of a row. whole_groups: rows are multiples of four columns, and memory is aligned.
__global__ void dropout(const float* x, float* y, std::int64_t rows, std::int64_t columns, bool whole_groups,
                        DropoutDraw draw) {
  const std::int64_t groups = (columns + 3) / 4;
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t i = thread_of_grid(); i < rows * groups; i += stride) {
    const std::int64_t row = i / groups;
    const std::int64_t group = i % groups;
    const PhiloxCounter words = philox4x32(
        {static_cast<std::uint32_t>(group), draw.first_sample + static_cast<std::uint32_t>(row), draw.step, draw.layer},
        draw.key);
    const auto apply = [&draw](float value, std::uint32_t word) {
      return word >= draw.threshold ? value * draw.scale : 0.0F;
    };
    if (whole_groups) {
      const float4 four = four_at(x, i);
      reinterpret_cast<float4*>(y)[i] = {apply(four.x, words[0]), apply(four.y, words[1]), apply(four.z, words[2]),
                                         apply(four.w, words[3])};
      continue;
    }
    for (std::int64_t k = 0; k < 4 && 4 * group + k < columns; ++k) {
      const std::int64_t at = row * columns + 4 * group + k;
      y[at] = apply(x[at], words[static_cast<std::size_t>(k)]);
    }
  }
}

class CudaDropout : public Dropout {
 public:
  CudaDropout(CudaDevice& device, LayoutPtr layout, float rate)
      : device_(device),
        layout_(std::move(layout)),
        threshold_(static_cast<std::uint32_t>(std::ldexp(static_cast<double>(rate), 32))),
        scale_(1 / (1 - rate)) {}

  void forward(ConstView x, View y, const DropoutKey& key, Stream& stream) override {
    expect(x, layout_, "dropout forward: x");
    expect(y, layout_, "dropout forward: y");
    apply(x.f32(), y.f32(), key, stream);
  }

  void backward(ConstView dy, View dx, const DropoutKey& key, Stream& stream) override {
    expect(dy, layout_, "dropout backward: dy");
    expect(dx, layout_, "dropout backward: dx");
    apply(dy.f32(), dx.f32(), key, stream);
  }

 private:
  void apply(const float* from, float* to, const DropoutKey& key, Stream& stream) {
    const DropoutDraw draw{philox_key(key.seed, RandomPurpose::dropout),
                           static_cast<std::uint32_t>(key.first_sample),
                           static_cast<std::uint32_t>(key.step),
                           key.layer + (static_cast<std::uint32_t>(key.step >> 32U) << 16U),
                           threshold_,
                           scale_};
    const std::int64_t rows = layout_->shape()[0];
    const std::int64_t columns = layout_->shape()[1];
    const std::int64_t groups = rows * ((columns + 3) / 4);
    const bool whole_groups = columns % 4 == 0 && extent_of(4, from, to).groups == 1;
    launch(elementwise_launch("dropout", device_, {4 * groups, groups}, stream), dropout, from, to, rows, columns,
           whole_groups, draw);
  }

  CudaDevice& device_;
  LayoutPtr layout_;
  std::uint32_t threshold_;
  float scale_;
};

}  // namespace

std::unique_ptr<Dropout> make_dropout(CudaDevice& device, const LayoutPtr& layout, float rate) {
  return std::make_unique<CudaDropout>(device, layout, rate);
}

}  // namespace lockstep::kernels::cuda
