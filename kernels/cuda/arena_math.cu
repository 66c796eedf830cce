// Zeroing, scaling, sums and norms over arenas.
// Traffic: scale 8 bytes an element; add 12; sum_of_squares 4, and 8 a block for the partial sums.
#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/operations.hpp"
#include "kernels/cuda/reduce.hpp"

namespace lockstep::kernels::cuda {
namespace {

// The number of blocks decides the order of the sum: it is never the device's own, so that all GPUs agree.
constexpr unsigned partial_sums = 512;

__global__ void scale_all(float* x, float factor, Extent extent) {
  map(
      extent, x, [factor](float value) { return value * factor; }, x);
}

__global__ void add_all(float* x, const float* y, Extent extent) {
  map(
      extent, x, [](float a, float b) { return a + b; }, static_cast<const float*>(x), y);
}

__device__ double square(float value) { return static_cast<double>(value) * static_cast<double>(value); }

__global__ void squares_of_blocks(const float* x, double* partial, Extent extent) {
  double sum = 0;
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t group = thread_of_grid(); group < extent.groups; group += stride) {
    const float4 four = four_at(x, group);
    sum += (square(four.x) + square(four.y)) + (square(four.z) + square(four.w));
  }
  for (std::int64_t i = 4 * extent.groups + thread_of_grid(); i < extent.count; i += stride) sum += square(x[i]);
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void sum_of_partial_sums(const double* partial, double* result) {
  const double sum = block_sum(partial[threadIdx.x]);
  if (threadIdx.x == 0) *result = sum;
}

class CudaArenaMath : public ArenaMath {
 public:
  explicit CudaArenaMath(CudaDevice& device)
      : device_(device), partial_(device.allocate(partial_sums * sizeof(double))) {}

  void zero(std::span<float> x, Stream& stream) override {
    if (!x.empty()) check(cudaMemsetAsync(x.data(), 0, x.size_bytes(), of(stream)), "zeroing an arena");
  }

  void scale(std::span<float> x, float factor, Stream& stream) override {
    if (x.empty()) return;
    const Extent extent = extent_of(static_cast<std::int64_t>(x.size()), x.data());
    launch(elementwise_launch("scale_all", device_, extent, stream), scale_all, x.data(), factor, extent);
  }

  void add(std::span<float> x, std::span<const float> y, Stream& stream) override {
    expect_one_length(x.size(), y.size(), "adding arenas");
    if (x.empty()) return;
    const Extent extent = extent_of(static_cast<std::int64_t>(x.size()), x.data(), y.data());
    launch(elementwise_launch("add_all", device_, extent, stream), add_all, x.data(), y.data(), extent);
  }

  void sum_of_squares(std::span<const float> x, double* result, Stream& stream) override {
    const Extent extent = extent_of(static_cast<std::int64_t>(x.size()), x.data());
    auto* partial = static_cast<double*>(partial_.data());
    launch({"squares_of_blocks", partial_sums, elementwise_threads, 0, of(stream)}, squares_of_blocks, x.data(),
           partial, extent);
    launch({"sum_of_partial_sums", 1, partial_sums, 0, of(stream)}, sum_of_partial_sums, partial, result);
  }

 private:
  CudaDevice& device_;
  Buffer partial_;
};

}  // namespace

std::unique_ptr<ArenaMath> make_arena_math(CudaDevice& device) { return std::make_unique<CudaArenaMath>(device); }

}  // namespace lockstep::kernels::cuda
