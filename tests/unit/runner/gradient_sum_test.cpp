#include "runner/collective/gradient_sum.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "common/error.hpp"

namespace lockstep::runner {

namespace {
// Two ranks of which the other one always has the same numbers: every sum doubles. Values may only change once waited
// for.
class Twin final : public Collective {
 public:
  int rank() const override { return 0; }
  int size() const override { return 2; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 2; }
  void start_sum(std::span<float> values) override {
    pending_.push_back(values);
    sizes.push_back(values.size());
  }
  void progress() override {}
  void wait_sums() override {
    const auto began = std::chrono::steady_clock::now();
    for (const auto& values : pending_) double_all(values);
    pending_.clear();
    waited += std::chrono::steady_clock::now() - began;
  }
  void sum(std::span<float> values) override {
    double_all(values);
    sizes.push_back(values.size());
  }
  void sum(std::span<double>) override {}
  void max(std::span<std::int64_t>) override {}
  void broadcast(std::span<std::byte>, int) override {}
  void barrier() override {}
  void abort(int) override {}
  std::int64_t started() const override { return static_cast<std::int64_t>(sizes.size()); }

  std::vector<std::size_t> sizes;
  std::chrono::duration<double> waited{0};  // in wait_sums()

 private:
  static void double_all(std::span<float> values) {
    for (float& value : values) value *= 2;
  }
  std::vector<std::span<float>> pending_;
};
}  // namespace

static std::vector<float> summed(Overlap overlap, std::size_t count, std::size_t step, Twin& twin) {
  std::vector<float> gradients(count);
  for (std::size_t i = 0; i < count; ++i) gradients[i] = static_cast<float>(i % 1000);
  const auto device = kernels::make_cpu_device();
  const auto stream = device->make_stream();
  const auto sums = make_host_sums(twin, overlap);
  GradientSum sum(sums.get(), *stream, gradients, overlap);
  for (int round = 0; round < 2; ++round) {
    for (std::size_t end = count; end > 0; end -= std::min(step, end)) sum.ready(end - std::min(step, end), end);
    sum.finish();
  }
  return gradients;
}

TEST(GradientSum, AddsEveryGradientOnceInBothOrders) {
  for (const auto overlap : {Overlap::off, Overlap::on}) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{1023}, bucket_floats, 3 * bucket_floats + 17}) {
      Twin twin;
      const auto gradients = summed(overlap, count, 100'000, twin);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < count; ++i) wrong += gradients[i] == static_cast<float>(4 * (i % 1000)) ? 0 : 1;
      EXPECT_EQ(wrong, 0U) << count;
    }
  }
}

TEST(GradientSum, StartsABucketAsSoonAsItIsFullAndTheRestAtTheEnd) {
  Twin twin;
  summed(Overlap::on, 2 * bucket_floats + 5, bucket_floats / 2, twin);
  EXPECT_THAT(twin.sizes, ::testing::ElementsAre(bucket_floats, bucket_floats, 5, bucket_floats, bucket_floats, 5));
}

// At least as long as the collective itself was busy in all of them, and not longer than they were.
TEST(GradientSum, AddsUpTheTimesOfItsSteps) {
  Twin twin;
  std::vector<float> gradients(bucket_floats - 1);
  const auto device = kernels::make_cpu_device();
  const auto stream = device->make_stream();
  const auto sums = make_host_sums(twin, Overlap::on);
  GradientSum sum(sums.get(), *stream, gradients, Overlap::on);
  const auto began = std::chrono::steady_clock::now();
  for (int step = 0; step < 3; ++step) {
    sum.ready(0, gradients.size());
    sum.finish();
  }
  const std::chrono::duration<double> all = std::chrono::steady_clock::now() - began;
  const GradientSumTimes times = sum.take_times();
  constexpr double rounding = 1e-6;  // seconds: of clocks that are read as doubles
  for (const double s : {times.blocked_s, times.in_flight_s}) {
    EXPECT_TRUE(s >= twin.waited.count() - rounding && s <= all.count() + rounding) << s;
  }
  EXPECT_EQ(sum.take_times().in_flight_s, 0);
}

TEST(GradientSum, RefusesGapsAndForgottenGradients) {
  Twin twin;
  std::vector<float> gradients(10);
  const auto device = kernels::make_cpu_device();
  const auto stream = device->make_stream();
  const auto sums = make_host_sums(twin, Overlap::on);
  GradientSum gap(sums.get(), *stream, gradients, Overlap::on);
  EXPECT_THROW(gap.ready(2, 8), Error);
  GradientSum forgotten(sums.get(), *stream, gradients, Overlap::off);
  forgotten.ready(4, 10);
  EXPECT_THROW(forgotten.finish(), Error);
}

}  // namespace lockstep::runner
