// float32 to bfloat16 and back, the CPU's bits (kernels/bf16.hpp). A thread takes four numbers at a time: 16 bytes of
// float32, 8 of bfloat16, both without gaps along a warp.
// Traffic: 6 bytes an element, each direction.
#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels::cuda {
namespace {

__device__ inline void cast_to(Bf16& to, float from) { to = to_bf16(from); }
__device__ inline void cast_to(float& to, Bf16 from) { to = to_f32(from); }

template <class From, class To>
__global__ void cast_all(const From* from, To* to, Extent extent) {
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t group = thread_of_grid(); group < extent.groups; group += stride) {
    const Pack<From, 4> in = pack_at<4>(from, group);
    Pack<To, 4> out;
    for (int k = 0; k < 4; ++k) cast_to(out.value[k], in.value[k]);
    put_pack<4>(to, group, out);
  }
  for (std::int64_t i = 4 * extent.groups + thread_of_grid(); i < extent.count; i += stride) cast_to(to[i], from[i]);
}

class CudaCast : public Cast {
 public:
  explicit CudaCast(CudaDevice& device) : device_(device) {}

  void narrow(std::span<const float> from, std::span<Bf16> to, Stream& stream) override {
    expect_one_length(from.size(), to.size(), "cast");
    if (from.empty()) return;
    const Extent extent = extent_of(static_cast<std::int64_t>(from.size()), from.data(), to.data());
    launch(elementwise_launch("cast_all", device_, extent, stream), cast_all<float, Bf16>, from.data(), to.data(),
           extent);
  }
  void widen(std::span<const Bf16> from, std::span<float> to, Stream& stream) override {
    expect_one_length(from.size(), to.size(), "cast");
    if (from.empty()) return;
    const Extent extent = extent_of(static_cast<std::int64_t>(from.size()), to.data(), from.data());
    launch(elementwise_launch("cast_all", device_, extent, stream), cast_all<Bf16, float>, from.data(), to.data(),
           extent);
  }

 private:
  CudaDevice& device_;
};

}  // namespace

std::unique_ptr<Cast> make_cast(CudaDevice& device) { return std::make_unique<CudaCast>(device); }

}  // namespace lockstep::kernels::cuda
