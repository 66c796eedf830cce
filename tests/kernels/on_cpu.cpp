#include <gmock/gmock.h>

#include <cstdlib>

#include "common/error.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {

std::unique_ptr<Device> make_test_device() {
  return make_cpu_device({.winograd = std::getenv("LOCKSTEP_TEST_WINOGRAD") != nullptr});
}

TEST(CpuBackEnd, RefusesBfloat16AndSaysWho) {
  const auto device = make_cpu_device();
  try {
    make_dense(*device, {1, 1, 1}, DataType::bf16);
    FAIL() << "it was planned";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "dense: the CPU back-end does not compute in bfloat16");
  }
  EXPECT_THROW(make_plain_layout(*device, {1}, DataType::bf16), Error);
}

}  // namespace lockstep::kernels
