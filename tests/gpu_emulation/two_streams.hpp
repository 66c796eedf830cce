// Two streams of the stand-in, and no error of an earlier test.
#pragma once

#include <gtest/gtest.h>

#include "tests/gpu_emulation/planted.hpp"
#include "tests/gpu_emulation/runtime/streams.hpp"

namespace lockstep::emulation {

class TwoStreams : public ::testing::Test {
 protected:
  TwoStreams() {
    streams().forget_error();
    cudaStreamCreateWithFlags(&compute, cudaStreamNonBlocking);
    cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
  }
  ~TwoStreams() override {
    streams().forget_error();
    cudaStreamDestroy(other);
    cudaStreamDestroy(compute);
  }
  // x += 1 on a stream.
  static void add(cudaStream_t stream, DeviceArray<float>& x, int count) {
    float* data = x.data();
    queue_kernel(stream, "add_one", {4, 64, 0}, [=] { add_one<Bug::none>(data, count); });
  }
  cudaStream_t compute = nullptr;
  cudaStream_t other = nullptr;
};

}  // namespace lockstep::emulation
