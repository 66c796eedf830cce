// Operations over whole arenas.
#include "kernels/cuda/count_up.hpp"
#include "tests/ptx/traffic/case_memory.hpp"

namespace lockstep::ptx {

using kernels::Bf16;
using kernels::Buffer;
using kernels::Device;
using kernels::ParameterRange;
using kernels::Stream;

namespace {

void run_arena(Device& device, Stream& stream) {
  const Tensor<float> x(device, {million});
  const Tensor<float> y(device, {million});
  const Buffer result = device.allocate(sizeof(double));
  const auto math = make_arena_math(device);
  math->scale(x.memory.as<float>(), 0.5F, stream);
  math->add(x.memory.as<float>(), y.memory.as<float>(), stream);
  math->sum_of_squares(x.memory.as<float>(), static_cast<double*>(result.data()), stream);
  stream.synchronize();
}

void run_casts(Device& device, Stream& stream) {
  const Tensor<float> x(device, {million});
  const Tensor<Bf16> y(device, {million});
  const auto cast = make_cast(device);
  cast->narrow(x.memory.as<float>(), y.memory.as<Bf16>(), stream);
  cast->widen(y.memory.as<Bf16>(), x.memory.as<float>(), stream);
  stream.synchronize();
}

// The parameters of four dense layers with their biases.
constexpr std::int64_t parameters = 4 * (512 * 512 + 512);
std::vector<ParameterRange> ranges() {
  std::vector<ParameterRange> made;
  for (std::size_t layer = 0; layer < 4; ++layer) {
    const std::size_t begin = layer * (512 * 512 + 512);
    made.push_back({begin, begin + 512 * 512, true});
    made.push_back({begin + 512 * 512, begin + 512 * 512 + 512, false});
  }
  return made;
}

void run_optimizers(Device& device, Stream& stream) {
  const Tensor<float> p(device, {parameters});
  const Tensor<float> g(device, {parameters});
  const Tensor<float> m(device, {parameters});
  const Tensor<float> v(device, {parameters});
  const Tensor<Bf16> copy(device, {parameters});
  const auto all = [](const Tensor<float>& tensor) { return tensor.memory.as<float>(); };
  kernels::SgdStep sgd{0.1F, 0.9F};
  kernels::AdamWStep adamw;
  sgd.copy = adamw.copy = copy.memory.as<Bf16>();
  make_sgd(device, ranges())->run(all(p), all(g), all(v), sgd, stream);
  make_adamw(device, ranges())->run(all(p), all(g), all(m), all(v), adamw, stream);
  stream.synchronize();
}

void run_count(Device& device, Stream& stream) {
  const Tensor<float> words(device, {16});  // two sectors
  auto* const first = reinterpret_cast<std::uint32_t*>(words.data());
  kernels::cuda::count_up(first, first + 8, kernels::cuda::of(stream));
  stream.synchronize();
}

}  // namespace

std::vector<TrafficCase> arena_cases() {
  constexpr double n = million;
  return {
      {"scale_all", "2^20", n, 8 * n, run_arena},
      {"add_all", "2^20", n, 12 * n, run_arena},
      {"squares_of_blocks", "2^20", n, 4 * n + 8 * 512, run_arena},
      {"sum_of_partial_sums", "512, always", 512, 8 * 512 + 8, run_arena},
      {"cast_all<float, Bf16>", "2^20", n, 6 * n, run_casts},
      {"cast_all<Bf16, float>", "2^20", n, 6 * n, run_casts},
      {"sgd", "4 layers of 512 x 512, with a copy", parameters, 22.0 * parameters, run_optimizers},
      {"count", "one word", 1, 96, run_count},
      {"adamw", "4 layers of 512 x 512, with a copy", parameters, 30.0 * parameters, run_optimizers},
  };
}

}  // namespace lockstep::ptx
