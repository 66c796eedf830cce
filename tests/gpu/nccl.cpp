// The real NCCL: on a machine without a GPU only that it is there and that its absence of devices is a clear error;
// with one, a sum over one rank. Sums over several GPUs have their tests on the emulator
// (tests/gpu_emulation/collectives).
#include <cuda_runtime.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "common/error.hpp"
#include "runner/collective/nccl/communicator.hpp"
#include "runner/collective/nccl/nccl_sums.hpp"

namespace lockstep::runner {
namespace {

std::string why_no_gpu() {
  int devices = 0;
  const cudaError_t result = cudaGetDeviceCount(&devices);
  if (result != cudaSuccess) return cudaGetErrorString(result);
  return devices == 0 ? "this machine has none" : "";
}

TEST(Nccl, IsTheOneThatItsHeaderSays) {
  int version = 0;
  ASSERT_EQ(ncclGetVersion(&version), ncclSuccess);
  EXPECT_EQ(version, NCCL_VERSION_CODE);
}

TEST(Nccl, GivesUniqueIds) {
  ncclUniqueId first{};
  ncclUniqueId second{};
  ASSERT_EQ(ncclGetUniqueId(&first), ncclSuccess);
  ASSERT_EQ(ncclGetUniqueId(&second), ncclSuccess);
  EXPECT_NE(std::string(first.internal, sizeof first.internal), std::string(second.internal, sizeof second.internal));
}

TEST(Nccl, SaysSoWhenThereIsNoGpu) {
  if (why_no_gpu().empty()) GTEST_SKIP() << "skipped: there is a GPU";
  const auto alone = make_single_collective();
  try {
    Communicator communicator(*alone, 20);
    FAIL() << "connected without a GPU";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::StartsWith("NCCL could not connect the 1 ranks: unhandled cuda error"));
  }
}

TEST(Nccl, SumsOverOneRank) {
  if (const std::string why = why_no_gpu(); !why.empty()) GTEST_SKIP() << "skipped: no CUDA device: " << why;
  const auto alone = make_single_collective();
  const auto device = kernels::make_cuda_device(0);
  const auto sums = make_nccl_sums(*alone, *device, {});
  const auto stream = device->make_stream();
  std::vector<float> values(100'003);
  std::iota(values.begin(), values.end(), 1.0F);
  const kernels::Buffer buffer = device->allocate(values.size() * sizeof(float));
  device->copy(buffer.data(), values.data(), buffer.bytes(), *stream);
  sums->start(buffer.as<float>(), *stream);
  sums->join(*stream);
  std::vector<float> got(values.size());
  device->copy(got.data(), buffer.data(), buffer.bytes(), *stream);
  stream->synchronize();
  EXPECT_EQ(got, values);
}

}  // namespace
}  // namespace lockstep::runner
