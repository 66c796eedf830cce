// y = x / (1 - rate) where kept, else 0: the same words of Philox for the same elements as on a CPU (kernels/cpu/
// dropout.cpp has the counter), so both keep the same elements and give the same bits.
// Traffic: 8 bytes an element in float32, each direction.
#include <cmath>

#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/make_for.hpp"
#include "kernels/cuda/operations.hpp"
#include "kernels/philox.hpp"

namespace lockstep::kernels::cuda {
namespace {

struct DropoutDraw {
  PhiloxKey key;
  std::uint32_t first_sample;
  std::uint32_t layer;
  std::uint64_t step;
  const StepNumbers* now;   // null: step counts
  std::uint32_t threshold;  // dropped below it: rate * 2^32
  float scale;              // of what is kept
};

// A thread draws for a pack of a row's columns, four with each draw. whole_packs: rows are whole packs, and memory is
// aligned.
template <class T>
__global__ void dropout(const T* x, T* y, std::int64_t rows, std::int64_t columns, bool whole_packs, DropoutDraw draw) {
  constexpr int n = whole_pack<T>;
  const std::int64_t packs = (columns + n - 1) / n;
  const std::int64_t stride = threads_of_grid();
  const std::uint64_t step = draw.now != nullptr ? draw.now->step : draw.step;
  const auto low = static_cast<std::uint32_t>(step);
  const std::uint32_t layer = draw.layer + (static_cast<std::uint32_t>(step >> 32U) << 16U);
  for (std::int64_t i = thread_of_grid(); i < rows * packs; i += stride) {
    const std::int64_t row = i / packs;
    const std::int64_t first = i % packs * n;
    Pack<bool, n> kept;
    for (int k = 0; k < n; k += 4) {
      const PhiloxCounter words = philox4x32({static_cast<std::uint32_t>((first + k) / 4),
                                              draw.first_sample + static_cast<std::uint32_t>(row), low, layer},
                                             draw.key);
      for (int word = 0; word < 4; ++word) {
        kept.value[k + word] = words[static_cast<std::size_t>(word)] >= draw.threshold;
      }
    }
    const auto apply = [&draw](T value, bool keep) { return rounded<T>(keep ? widened(value) * draw.scale : 0.0F); };
    if (whole_packs) {
      Pack<T, n> pack = pack_at<n>(x, i);
      for (int k = 0; k < n; ++k) pack.value[k] = apply(pack.value[k], kept.value[k]);
      put_pack<n>(y, i, pack);
      continue;
    }
    for (int k = 0; k < n; ++k) {
      if (first + k >= columns) continue;
      const std::int64_t at = row * columns + first + k;
      y[at] = apply(x[at], kept.value[k]);
    }
  }
}

template <class T>
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
    apply(x.as<T>(), y.as<T>(), key, stream);
  }

  void backward(ConstView dy, View dx, const DropoutKey& key, Stream& stream) override {
    expect(dy, layout_, "dropout backward: dy");
    expect(dx, layout_, "dropout backward: dx");
    apply(dy.as<T>(), dx.as<T>(), key, stream);
  }

 private:
  void apply(const T* from, T* to, const DropoutKey& key, Stream& stream) {
    const DropoutDraw draw{philox_key(key.seed, RandomPurpose::dropout),
                           static_cast<std::uint32_t>(key.first_sample),
                           key.layer,
                           key.step,
                           key.now,
                           threshold_,
                           scale_};
    const std::int64_t rows = layout_->shape()[0];
    const std::int64_t columns = layout_->shape()[1];
    constexpr std::int64_t n = whole_pack<T>;
    const std::int64_t packs = rows * ((columns + n - 1) / n);
    launch(elementwise_launch("dropout", device_, {n * packs, packs}, stream), dropout<T>, from, to, rows, columns,
           rows_in_packs(columns, from, to), draw);
  }

  CudaDevice& device_;
  LayoutPtr layout_;
  std::uint32_t threshold_;
  float scale_;
};

}  // namespace

std::unique_ptr<Dropout> make_dropout(CudaDevice& device, const LayoutPtr& layout, float rate) {
  return make_for<Dropout, CudaDropout>(layout->type(), device, layout, rate);
}

}  // namespace lockstep::kernels::cuda
