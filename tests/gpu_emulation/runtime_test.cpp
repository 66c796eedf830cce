// The stand-in for the CUDA runtime: what it allows, what it refuses, and the mistakes of host code that it must show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gpu_emulation/runtime/memory.hpp"
#include "tests/gpu_emulation/two_streams.hpp"

namespace lockstep::emulation {
namespace {

using ::testing::HasSubstr;

class Runtime : public TwoStreams {
 protected:
  Runtime() { cudaEventCreateWithFlags(&event, cudaEventDisableTiming); }
  ~Runtime() override { cudaEventDestroy(event); }
  cudaEvent_t event = nullptr;
};

// One stream adds, the other copies the sum to the host; `waits`: the second waits for the first.
float copied_sum(cudaStream_t compute, cudaStream_t other, cudaEvent_t event, bool waits) {
  DeviceArray<float> x(std::vector<float>(100, 1));
  float* data = x.data();
  queue_kernel(compute, "add_one", {1, 128, 0}, [=] { add_one<Bug::none>(data, 100); });
  cudaEventRecord(event, compute);
  if (waits) cudaStreamWaitEvent(other, event, 0);
  void* host = nullptr;
  cudaMallocHost(&host, 100 * sizeof(float));
  cudaMemcpyAsync(host, data, 100 * sizeof(float), cudaMemcpyDeviceToHost, other);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  const float last = static_cast<float*>(host)[99];
  cudaFreeHost(host);
  return last;
}

TEST_F(Runtime, AStreamThatWaitsForAnEventSeesWhatCameBefore) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    settings().seed = seed;
    EXPECT_EQ(copied_sum(compute, other, event, true), 2) << seed;
  }
}

TEST_F(Runtime, AMissingWaitShowsInSomeOfAFewSeeds) {
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    settings().seed = seed;
    wrong += copied_sum(compute, other, event, false) == 2 ? 0 : 1;
  }
  EXPECT_GT(wrong, 0);
}

TEST_F(Runtime, PageableMemoryIsReadAtTheCallAndPinnedMemoryLater) {
  std::vector<float> pageable = {1};
  void* pinned = nullptr;
  cudaMallocHost(&pinned, sizeof(float));
  *static_cast<float*>(pinned) = 1;
  DeviceArray<float> a({0});
  DeviceArray<float> b({0});
  cudaMemcpyAsync(a.data(), pageable.data(), sizeof(float), cudaMemcpyHostToDevice, compute);
  cudaMemcpyAsync(b.data(), pinned, sizeof(float), cudaMemcpyHostToDevice, compute);
  pageable[0] = 2;
  *static_cast<float*>(pinned) = 2;  // too early: the copy has not run
  EXPECT_EQ(cudaStreamSynchronize(compute), cudaSuccess);
  EXPECT_EQ(a.values()[0], 1);
  EXPECT_EQ(b.values()[0], 2);
  cudaFreeHost(pinned);
}

TEST_F(Runtime, NewMemoryIsNan) {
  void* memory = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, 4 * sizeof(float)), cudaSuccess);
  EXPECT_TRUE(std::isnan(static_cast<float*>(memory)[3]));
  cudaFree(memory);
}

TEST_F(Runtime, ADoubleFreeAndAForeignPointerAreRefused) {
  void* memory = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, 16), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(memory), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  EXPECT_EQ(cudaFree(memory), cudaErrorInvalidValue);
}

TEST_F(Runtime, ACopyPastTheEndIsRefused) {
  DeviceArray<float> x(one_to(4));
  std::vector<float> host(5);
  EXPECT_EQ(cudaMemcpyAsync(host.data(), x.data(), 5 * sizeof(float), cudaMemcpyDeviceToHost, compute),
            cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemsetAsync(x.data() + 1, 0, 4 * sizeof(float), compute), cudaErrorInvalidValue);
}

TEST_F(Runtime, WorkOnTheNullStreamIsRefused) {
  DeviceArray<float> x(one_to(64));
  add(nullptr, x, 64);
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorInvalidResourceHandle);
}

TEST_F(Runtime, ADestroyedStreamsWorkComesInItsTime) {
  cudaStream_t gone = nullptr;
  cudaStreamCreateWithFlags(&gone, cudaStreamNonBlocking);
  DeviceArray<float> x(one_to(64));
  add(gone, x, 64);
  EXPECT_EQ(cudaStreamDestroy(gone), cudaSuccess);
  EXPECT_EQ(x.values()[0], 1) << "nobody has waited for it";
  EXPECT_EQ(cudaStreamDestroy(gone), cudaErrorInvalidResourceHandle);
  streams().forget_error();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(x.values()[0], 2);
}

TEST_F(Runtime, AFailedKernelIsTheErrorOfTheNextWait) {
  float* none = nullptr;
  queue_kernel(compute, "sum_blocks", {1, 64, 0}, [=] { sum_blocks<Bug::divergent_barrier>(none, none, 0); });
  EXPECT_EQ(cudaStreamSynchronize(compute), cudaErrorLaunchFailure);
  EXPECT_THAT(cudaGetErrorString(cudaErrorLaunchFailure), HasSubstr("sum_blocks: block (0, 0, 0): divergent"));
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure) << "it stays";
}

TEST_F(Runtime, AWaitForAnEventThatNobodyRecordsIsNamed) {
  cudaEventRecord(event, other);
  cudaStreamWaitEvent(compute, event, 0);
  cudaStreamWaitEvent(other, event, 0);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess) << "it was recorded";
}

TEST_F(Runtime, MemoryEndsWhereItsLimitIs) {
  const std::size_t before = memory().limit();
  memory().set_limit(memory().bytes_in_use(MemoryKind::device) + 1000);
  void* too_much = nullptr;
  EXPECT_EQ(cudaMalloc(&too_much, 1001), cudaErrorMemoryAllocation);
  void* just = nullptr;
  EXPECT_EQ(cudaMalloc(&just, 1000), cudaSuccess);
  cudaFree(just);
  memory().set_limit(before);
}

TEST_F(Runtime, CountsLaunchesCopiesAndWaits) {
  const RuntimeCounts before = streams().counts;
  DeviceArray<float> x(one_to(64));
  add(compute, x, 64);
  add(compute, x, 64);
  std::vector<float> host(64);
  cudaMemcpyAsync(host.data(), x.data(), 64 * sizeof(float), cudaMemcpyDeviceToHost, compute);
  EXPECT_EQ(streams().counts.launches - before.launches, 2);
  EXPECT_EQ(streams().counts.copies - before.copies, 1);
  EXPECT_EQ(streams().counts.synchronizations - before.synchronizations, 1) << "pageable: the call waits";
  EXPECT_EQ(host[63], 66);
}

}  // namespace
}  // namespace lockstep::emulation
