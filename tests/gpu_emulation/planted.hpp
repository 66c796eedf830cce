// Runs the planted kernels on fresh device memory, in a chosen order, and says whether the answer is right.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "tests/gpu_emulation/planted_kernels.hpp"

namespace lockstep::emulation {

// Memory of the emulated device, filled through streams as a program would.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<T>& values) : count_(values.size()) {
    if (cudaMalloc(&memory_, count_ * sizeof(T)) != cudaSuccess) throw std::bad_alloc();
    std::copy(values.begin(), values.end(), static_cast<T*>(memory_));  // host and device share addresses here
  }
  ~DeviceArray() { cudaFree(memory_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  T* data() { return static_cast<T*>(memory_); }
  std::vector<T> values() { return {data(), data() + count_}; }

 private:
  void* memory_ = nullptr;
  std::size_t count_;
};

inline std::vector<float> one_to(int count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

template <Bug bug>
bool doubles(int count = 100) {
  DeviceArray<float> x(one_to(count));
  DeviceArray<float> y(std::vector<float>(static_cast<std::size_t>(count)));
  run_grid({4, 32, 0}, [&] { double_all<bug>(x.data(), y.data(), count); });
  return y.values().back() == 2 * static_cast<float>(count);
}

template <Bug bug>
bool sums(int blocks = 3) {
  const int count = blocks * 128 - 5;
  DeviceArray<float> x(one_to(count));
  DeviceArray<float> y(std::vector<float>(static_cast<std::size_t>(blocks)));
  run_grid({static_cast<unsigned>(blocks), 128, 0}, [&] { sum_blocks<bug>(x.data(), y.data(), count); });
  const auto got = y.values();
  return std::accumulate(got.begin(), got.end(), 0.0F) == 0.5F * static_cast<float>(count * (count + 1));
}

template <Bug bug>
bool transposes(int side = 32) {
  DeviceArray<float> x(one_to(side * side));
  DeviceArray<float> y(std::vector<float>(static_cast<std::size_t>(side * side)));
  run_grid({static_cast<unsigned>(side) / 8, dim3(8, 8), 0}, [&] { transpose<bug>(x.data(), y.data(), side); });
  const auto from = x.values();
  const auto to = y.values();
  bool right = true;
  for (int i = 0; i < side * side; ++i) {
    right = right && to[static_cast<std::size_t>(i % side * side + i / side)] == from[static_cast<std::size_t>(i)];
  }
  return right;
}

template <Bug bug>
bool counts() {
  std::vector<int> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i % 7);
  DeviceArray<int> x(values);
  DeviceArray<unsigned> y(std::vector<unsigned>(7, 0));
  run_grid({8, 128, 0}, [&] { count_values<bug>(x.data(), y.data(), 1000); });
  return y.values() == std::vector<unsigned>{143, 143, 143, 143, 143, 143, 142};
}

template <Bug bug>
bool reverses() {
  DeviceArray<float> x(one_to(128));
  DeviceArray<float> y(std::vector<float>(128));
  run_grid({1, 128, 0}, [&] { reverse_warps<bug>(x.data(), y.data()); });
  const auto got = y.values();
  bool right = true;
  for (std::size_t i = 0; i < 128; ++i) right = right && got[i] == one_to(128)[i / 32 * 32 + 31 - i % 32];
  return right;
}

template <Bug bug>
bool adds() {
  DeviceArray<float> x(std::vector<float>(1000));
  run_grid({4, 64, 0}, [&] { add_one<bug>(x.data(), 1000); });
  const auto got = x.values();
  return std::all_of(got.begin(), got.end(), [](float value) { return value == 1; });
}

inline void uses_freed_memory() {
  void* memory = nullptr;
  cudaMalloc(&memory, 256);
  cudaFree(memory);
  auto* data = static_cast<float*>(memory);
  run_grid({1, 64, 0}, [&] { add_one<Bug::none>(data, 64); });
}

// Calls `act` in each order of threads and five seeds.
template <class Act>
void in_every_order(const Act& act) {
  for (const Order order : {Order::ascending, Order::descending, Order::random}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      settings().order = order;
      settings().seed = seed;
      act();
    }
  }
}

template <class Act>
void expect_right_in_every_order(const Act& act) {
  in_every_order(
      [&] { EXPECT_TRUE(act()) << "order " << static_cast<int>(settings().order) << " seed " << settings().seed; });
}

// In how many of the 15 orders and seeds the answer was wrong.
template <class Act>
int times_wrong(const Act& act) {
  int wrong = 0;
  in_every_order([&] { wrong += act() ? 0 : 1; });
  return wrong;
}

template <class Act>
std::string error_of(const Act& act) {
  try {
    act();
  } catch (const KernelError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace lockstep::emulation
