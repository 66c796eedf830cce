// Captured streams of the stand-in, and the mistakes that a capture does not forgive.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gpu_emulation/two_streams.hpp"

namespace lockstep::emulation {
namespace {

class Captures : public TwoStreams {
 protected:
  Captures() {
    cudaEventCreateWithFlags(&fork, cudaEventDisableTiming);
    cudaEventCreateWithFlags(&join, cudaEventDisableTiming);
  }
  ~Captures() override {
    if (run != nullptr) cudaGraphExecDestroy(run);
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaEventDestroy(join);
    cudaEventDestroy(fork);
  }
  void begin() { ASSERT_EQ(cudaStreamBeginCapture(compute, cudaStreamCaptureModeThreadLocal), cudaSuccess); }
  cudaError_t end() { return cudaStreamEndCapture(compute, &graph); }
  static void copy(DeviceArray<float>& to, DeviceArray<float>& from, cudaStream_t stream) {
    cudaMemcpyAsync(to.data(), from.data(), 100 * sizeof(float), cudaMemcpyDeviceToDevice, stream);
  }
  // compute adds, other copies what came of it; `joined`: compute waits for that before the end.
  cudaError_t capture_two_streams(DeviceArray<float>& x, DeviceArray<float>& y, bool waits, bool joined) {
    begin();
    cudaEventRecord(fork, compute);
    if (!waits) cudaStreamWaitEvent(other, fork, 0);  // too early
    add(compute, x, 100);
    if (waits) {
      cudaEventRecord(fork, compute);
      cudaStreamWaitEvent(other, fork, 0);
    }
    copy(y, x, other);
    cudaEventRecord(join, other);
    if (joined) cudaStreamWaitEvent(compute, join, 0);
    return end();
  }
  void run_graph() {
    if (run == nullptr) {
      ASSERT_EQ(cudaGraphInstantiate(&run, graph, 0), cudaSuccess);
    }
    ASSERT_EQ(cudaGraphLaunch(run, compute), cudaSuccess);
  }

  cudaEvent_t fork = nullptr;
  cudaEvent_t join = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t run = nullptr;
};

TEST_F(Captures, RunNothingUntilTheirGraphIsStartedAndThenEachTime) {
  DeviceArray<float> x(std::vector<float>(100, 1));
  DeviceArray<float> y(std::vector<float>(100, 0));
  ASSERT_EQ(capture_two_streams(x, y, true, true), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(x.values()[99], 1);
  const RuntimeCounts before = streams().counts;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    settings().seed = seed;
    run_graph();
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(y.values()[99], 1 + static_cast<float>(seed));
  }
  EXPECT_EQ(streams().counts.graph_launches - before.graph_launches, 20);
  EXPECT_EQ(streams().counts.launches, before.launches);
}

TEST_F(Captures, KeepTheOrderOfTheStreamThatStartsThem) {
  DeviceArray<float> x(std::vector<float>(100, 1));
  DeviceArray<float> y(std::vector<float>(100, 0));
  begin();
  copy(y, x, compute);
  ASSERT_EQ(end(), cudaSuccess);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    settings().seed = seed;
    add(compute, x, 100);
    run_graph();
    add(compute, x, 100);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(y.values()[99], static_cast<float>(2 * seed));
  }
}

TEST_F(Captures, AMissingWaitShowsInSomeOfAFewSeeds) {
  DeviceArray<float> x(std::vector<float>(100, 1));
  DeviceArray<float> y(std::vector<float>(100, 0));
  ASSERT_EQ(capture_two_streams(x, y, false, true), cudaSuccess);
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    settings().seed = seed;
    run_graph();
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    wrong += y.values()[99] == 1 + static_cast<float>(seed) ? 0 : 1;
  }
  EXPECT_GT(wrong, 0);
}

TEST_F(Captures, WorkThatNobodyWaitsForIsRefused) {
  DeviceArray<float> x(std::vector<float>(100, 1));
  DeviceArray<float> y(std::vector<float>(100, 0));
  EXPECT_EQ(capture_two_streams(x, y, true, false), cudaErrorStreamCaptureUnjoined);
  EXPECT_EQ(graph, nullptr);
}

TEST_F(Captures, AllocatingAndWaitingSpoilThem) {
  begin();
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 16), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
  streams().forget_error();
  begin();
  EXPECT_EQ(cudaStreamSynchronize(compute), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
  streams().forget_error();
  DeviceArray<float> x(std::vector<float>(100, 1));
  std::vector<float> pageable(100);
  begin();
  EXPECT_EQ(cudaMemcpyAsync(x.data(), pageable.data(), 400, cudaMemcpyHostToDevice, compute),
            cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
}

TEST_F(Captures, AnEventOfOutsideIsRefused) {
  cudaEventRecord(fork, other);
  begin();
  EXPECT_EQ(cudaStreamWaitEvent(compute, fork, 0), cudaErrorStreamCaptureIsolation);
  streams().forget_error();
  EXPECT_EQ(end(), cudaSuccess);
}

TEST_F(Captures, OnlyTheStreamThatBeganMayEnd) {
  EXPECT_EQ(end(), cudaErrorStreamCaptureUnmatched);
  streams().forget_error();
  begin();
  EXPECT_EQ(cudaStreamBeginCapture(compute, cudaStreamCaptureModeThreadLocal), cudaErrorIllegalState);
  streams().forget_error();
  EXPECT_EQ(cudaStreamEndCapture(other, &graph), cudaErrorStreamCaptureUnmatched);
  streams().forget_error();
  EXPECT_EQ(end(), cudaSuccess);
}

}  // namespace
}  // namespace lockstep::emulation
