#include "runner/data/upload.hpp"

#include <gtest/gtest.h>

#include "kernels/kernels.hpp"

namespace lockstep::runner {

// On a CPU the batch itself is what is computed on; the numbers of the step before are there until the call after.
TEST(Upload, LeavesBatchesInPlaceAndKeepsTheNumbersOfTwoSteps) {
  const auto device = kernels::make_cpu_device();
  const auto stream = device->make_stream();
  Upload upload(*device, *stream, 2, 3);
  const float images[6] = {};
  BatchView batch;
  batch.images = images;
  batch.count = 2;
  const kernels::StepNumbers* before = nullptr;
  for (std::uint64_t step = 0; step < 5; ++step) {
    upload.wait_for_the_one_before();
    const BatchView there = upload.put(batch, {.step = step});
    EXPECT_EQ(there.images, images);
    ASSERT_NE(there.now, nullptr);
    EXPECT_EQ(there.now->step, step);
    if (before != nullptr) {
      EXPECT_EQ(before->step, step - 1);
    }
    before = there.now;
  }
}

}  // namespace lockstep::runner
