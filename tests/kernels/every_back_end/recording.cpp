#include "common/error.hpp"
#include "kernels/optimizer_factors.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

using Recordings = OnDevice;

TEST_F(Recordings, TheStepsNumbersStandForThoseOfTheHost) {
  const auto layout = plain({5, 65});
  const auto dropout = make_dropout(*device, layout, 0.5F, DataType::f32);
  const auto sgd = make_sgd(*device, {{0, 325}});
  const auto adamw = make_adamw(*device, {{0, 325}});
  const std::uint64_t step = (std::uint64_t{1} << 33U) + 5;
  const auto run = [&](const DropoutKey& key, const SgdStep& by_sgd, const AdamWStep& by_adamw) {
    const Tensor x = filled(layout, random_matrix(5, 65, 1));
    const Tensor y = empty(layout);
    dropout->forward(x, y, key, *stream);
    const Buffer m = device->allocate(x.memory.bytes());
    const Buffer v = device->allocate(x.memory.bytes());
    const Buffer velocity = device->allocate(x.memory.bytes());
    sgd->run(x.memory.as<float>(), y.memory.as<float>(), velocity.as<float>(), by_sgd, *stream);
    adamw->run(x.memory.as<float>(), y.memory.as<float>(), m.as<float>(), v.as<float>(), by_adamw, *stream);
    return std::pair{values(x), values(y)};
  };
  SgdStep by_sgd{0.25F, 0.5F, 0.1F};
  AdamWStep by_adamw{0.25F};
  by_adamw.weight_decay = 0.1F;
  by_adamw.t = step + 1;
  const auto want = run({7, 3, step, 1000}, by_sgd, by_adamw);

  const Buffer now = moved(std::vector{step_numbers(step, 0.25F, by_adamw.beta1, by_adamw.beta2)});
  const auto* numbers = static_cast<const StepNumbers*>(now.data());
  by_sgd.learning_rate = by_adamw.learning_rate = 100;
  by_adamw.t = 1;
  EXPECT_NE(run({7, 3, 0, 1000}, by_sgd, by_adamw), want);
  by_sgd.now = by_adamw.now = numbers;
  EXPECT_EQ(run({7, 3, 0, 1000, numbers}, by_sgd, by_adamw), want);
}

TEST_F(Recordings, RunAgainWithTheNumbersThatAreThereThen) {
  const auto layout = plain({3, 33});
  const auto dropout = make_dropout(*device, layout, 0.5F, DataType::f32);
  const Tensor x = filled(layout, random_matrix(3, 33, 1));
  const Tensor y = empty(layout);
  const Buffer now = device->allocate(sizeof(StepNumbers));
  const auto work = [&] { dropout->forward(x, y, {7, 3, 0, 0, static_cast<const StepNumbers*>(now.data())}, *stream); };
  if (device->kind() == DeviceKind::cpu) {
    EXPECT_THROW(device->record(*stream, work), Error);
    return;
  }
  const auto recording = device->record(*stream, work);
  EXPECT_EQ(values(y), std::vector<float>(99, 0));  // recorded is not run
  for (const std::uint64_t step : {0, 1, 2}) {
    const std::vector numbers = {StepNumbers{.step = step}};
    device->copy(now.data(), numbers.data(), sizeof(StepNumbers), *stream);
    recording->run(*stream);
    const auto got = values(y);
    const Tensor want = empty(layout);
    dropout->forward(x, want, {7, 3, step, 0}, *stream);
    EXPECT_EQ(got, values(want)) << step;
  }
  EXPECT_THROW(device->record(*stream, [] { throw failure("in the middle of it"); }), Error);
  work();  // the stream is as it was
  EXPECT_EQ(values(y).size(), 99U);
}

}  // namespace
}  // namespace lockstep::kernels
