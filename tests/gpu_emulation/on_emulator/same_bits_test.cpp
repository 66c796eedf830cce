// What promises the same bits from every back-end: optimizers, dropout, ReLU, pooling. The CPU back-end is the other
// one.
#include <cstring>

#include "kernels/optimizer_factors.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

// An emulated GPU's elementwise grids have at most 32 blocks of 256 threads: each must go on after its first element.
constexpr std::int64_t beyond_the_grid = 50003;

class SameBits : public OnDevice {
 protected:
  // Runs `step(device, stream, arrays)` on both back-ends over copies of the same arrays; gives all arrays as they are
  // then.
  using Arrays = std::vector<std::vector<float>>;
  using Step = std::function<void(Device&, Stream&, std::vector<std::span<float>>&)>;
  static Arrays after(Device& on, const Arrays& start, const Step& step) {
    const auto queue = on.make_stream();
    std::vector<Buffer> memory;
    std::vector<std::span<float>> spans;
    for (const auto& each : start) {
      memory.push_back(on.allocate(each.size() * sizeof(float)));
      on.copy(memory.back().data(), each.data(), memory.back().bytes(), *queue);
      spans.push_back(memory.back().as<float>());
    }
    step(on, *queue, spans);
    Arrays end = start;
    for (std::size_t i = 0; i < end.size(); ++i) on.copy(end[i].data(), spans[i].data(), spans[i].size_bytes(), *queue);
    queue->synchronize();
    return end;
  }
  void expect_same(const Arrays& start, const Step& step) {
    EXPECT_EQ(after(*device, start, step), after(*cpu, start, step));
  }

  static std::vector<float> random_floats(std::int64_t count, std::uint32_t seed) {
    const Vector values = random_vector(count, seed);
    return {values.data(), values.data() + values.size()};
  }

  std::unique_ptr<Device> cpu = make_cpu_device();
};

TEST_F(SameBits, TheDeviceIsNotTheCpu) { EXPECT_EQ(device->kind(), DeviceKind::cuda); }

TEST_F(SameBits, SgdOverRangesOfAnyPlace) {
  for (const std::int64_t n : std::vector<std::int64_t>{1, 31, 33, 4097, beyond_the_grid}) {
    const auto count = static_cast<std::size_t>(n);
    const std::vector<ParameterRange> ranges = {
        {0, count / 3, true}, {count / 3, count / 2, false}, {count - 1, count, true}};
    expect_same({random_floats(n, 1), random_floats(n, 2), random_floats(n, 3)},
                [&](Device& on, Stream& queue, auto& at) {
                  const auto plan = make_sgd(on, ranges);
                  for (int i = 0; i < 5; ++i) plan->run(at[0], at[1], at[2], {0.05F, 0.9F, 0.01F, 0.7F}, queue);
                });
  }
}

TEST_F(SameBits, AdamWOverRangesOfAnyPlace) {
  for (const std::int64_t n : std::vector<std::int64_t>{1, 31, 33, 4097, beyond_the_grid}) {
    const auto count = static_cast<std::size_t>(n);
    const std::vector<ParameterRange> ranges = {
        {0, count / 3, true}, {count / 3, count / 2, false}, {count - 1, count, true}};
    const std::vector<float> zeros(count, 0.0F);
    expect_same({random_floats(n, 1), random_floats(n, 2), zeros, zeros}, [&](Device& on, Stream& queue, auto& at) {
      const auto plan = make_adamw(on, ranges);
      AdamWStep step{0.01F};
      step.weight_decay = 0.1F;
      for (; step.t <= 5; ++step.t) plan->run(at[0], at[1], at[2], at[3], step, queue);
    });
  }
}

// A double in the first array, so that both back-ends clip by the same one; a bfloat16 copy in the last.
TEST_F(SameBits, ClippedStepsWithACopy) {
  for (const std::size_t count : {1, 31, 33, 4097}) {
    const auto n = static_cast<std::int64_t>(count);
    const std::vector<float> zeros(count, 0.0F);
    std::vector<float> sum(2);
    const double squares = 1.7 * static_cast<double>(count);
    std::memcpy(sum.data(), &squares, sizeof squares);
    expect_same({sum, random_floats(n, 1), random_floats(n, 2), zeros, zeros, zeros},
                [&](Device& on, Stream& queue, auto& at) {
                  const Clipping clipping{reinterpret_cast<const double*>(at[0].data()), 1.1F};
                  const std::span<Bf16> copy{reinterpret_cast<Bf16*>(at[5].data()), count};
                  const std::vector<ParameterRange> ranges = {{0, count / 3, true}, {count / 2, count, false}};
                  SgdStep sgd{0.05F, 0.9F, 0.01F, 0.7F, clipping, copy};
                  make_sgd(on, ranges)->run(at[1], at[2], at[3], sgd, queue);
                  AdamWStep adamw{0.01F};
                  adamw.gradient_scale = 0.7F;
                  adamw.clipping = clipping;
                  adamw.copy = copy;
                  make_adamw(on, ranges)->run(at[1], at[2], at[3], at[4], adamw, queue);
                });
  }
}

// An arena that begins at no whole pack is taken one by one.
TEST_F(SameBits, SgdOverAnArenaAtAnyPlace) {
  constexpr std::size_t count = beyond_the_grid;
  expect_same({random_floats(count, 1), random_floats(count, 2), random_floats(count, 3)},
              [](Device& on, Stream& queue, auto& at) {
                const auto rest = [&at](int i) { return at[i].subspan(1); };
                make_sgd(on, {{0, count - 1, true}})->run(rest(0), rest(1), rest(2), {0.05F, 0.9F}, queue);
              });
}

TEST_F(SameBits, AddingArenasAndCasts) {
  for (const std::int64_t count : std::vector<std::int64_t>{1, 31, 32, 33, 4097, beyond_the_grid}) {
    const std::vector<float> none(static_cast<std::size_t>(count));
    expect_same({random_floats(count, 1), random_floats(count, 2), none, none},
                [&](Device& on, Stream& queue, auto& at) {
                  make_arena_math(on)->add(at[0], at[1], queue);
                  const std::span<Bf16> narrow{reinterpret_cast<Bf16*>(at[2].data()), at[0].size()};
                  make_cast(on)->narrow(at[0], narrow, queue);
                  make_cast(on)->widen(narrow, at[3], queue);
                });
  }
}

TEST_F(SameBits, DropoutOfEveryWidth) {
  for (const std::int64_t columns : {1, 3, 4, 31, 32, 129, 8191, 8192}) {
    expect_same({random_floats(7 * columns, 1), std::vector<float>(static_cast<std::size_t>(7 * columns))},
                [&](Device& on, Stream& queue, auto& at) {
                  const auto layout = make_plain_layout(on, {7, columns}, DataType::f32);
                  const auto plan = make_dropout(on, layout, 0.3F, DataType::f32);
                  plan->forward({at[0].data(), layout.get()}, {at[1].data(), layout.get()}, {1, 2, 3, 4}, queue);
                });
  }
}

TEST_F(SameBits, ReluForwardAndBackward) {
  for (const std::int64_t count : std::vector<std::int64_t>{1, 31, 32, 33, 4097, beyond_the_grid}) {
    const std::vector<float> none(static_cast<std::size_t>(count));
    expect_same({random_floats(count, 1), random_floats(count, 2), none, none}, [&](Device& on, Stream& queue,
                                                                                    auto& at) {
      const auto layout = make_plain_layout(on, {count}, DataType::f32);
      const auto plan = make_relu(on, layout, DataType::f32);
      plan->forward({at[0].data(), layout.get()}, {at[2].data(), layout.get()}, queue);
      plan->backward({at[2].data(), layout.get()}, {at[1].data(), layout.get()}, {at[3].data(), layout.get()}, queue);
    });
  }
}

}  // namespace
}  // namespace lockstep::kernels
