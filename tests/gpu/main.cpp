// Tests that need a GPU; where there is none, one skipped test says why.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kernels/device.hpp"

int main(int count, char** arguments) {
  ::testing::InitGoogleTest(&count, arguments);
  const auto devices = lockstep::kernels::find_cuda_devices();
  if (devices.count == 0) {
    fmt::print("skipped: {}\n", devices.why_none);
    return 77;
  }
  fmt::print("{}\n", lockstep::kernels::make_cuda_device(0)->name());
  return RUN_ALL_TESTS();
}
