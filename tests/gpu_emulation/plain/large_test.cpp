// Sizes beyond the largest grid that the kernels of convolutions start, 65535 blocks: a block goes on after its first
// piece. Too much for the sanitizers.
#include "kernels/cuda/transpose.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

using Large = OnDevice;

std::vector<float> small_numbers(std::size_t count) {
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(i % 1021);
  return numbers;
}

// A kernel of one place: y = 2 x, dx = 2 dy.
TEST_F(Large, PatchesOfAnImageLargerThanTheGrid) {
  constexpr std::int64_t side = 4100;
  const auto plan = make_conv2d(*device, {1, 1, side, side, 1, 1, 1, 0}, DataType::f32);
  const std::vector<float> numbers = small_numbers(side * side);
  std::vector<float> want = numbers;
  for (float& each : want) each *= 2;
  const Buffer x = moved(numbers);
  const Buffer out = device->allocate(x.bytes());
  const Buffer weight = moved(std::vector<float>{2});
  const Buffer bias = moved(std::vector<float>{0});
  const auto& in = plan->layouts();
  plan->forward({x.data(), in.x.get()}, {weight.data(), in.weight.get()}, {bias.data(), in.bias.get()},
                {out.data(), in.y.get()}, *stream);
  EXPECT_TRUE(back<float>(out) == want);
  plan->backward_data({x.data(), in.y.get()}, {weight.data(), in.weight_backward.get()}, {out.data(), in.x.get()},
                      *stream);
  EXPECT_TRUE(back<float>(out) == want);
}

TEST_F(Large, MoreTilesThanBlocks) {
  constexpr std::size_t images = 65535 + 300;
  const std::vector<float> numbers = small_numbers(images * 6);
  const Buffer from = moved(numbers);
  const Buffer to = device->allocate(from.bytes());
  cuda::transpose(from.as<float>().data(), to.as<float>().data(), images, 2, 3, *stream);
  std::vector<float> want(numbers.size());
  for (std::size_t i = 0; i < want.size(); ++i) want[i / 6 * 6 + i % 3 * 2 + i % 6 / 3] = numbers[i];
  EXPECT_TRUE(back<float>(to) == want);
}

}  // namespace
}  // namespace lockstep::kernels
