// What the cases of one type of element are written with.
#pragma once

#include <fmt/format.h>

#include "kernels/cuda/layout.hpp"
#include "tests/ptx/traffic/cases.hpp"

namespace lockstep::ptx {

constexpr std::int64_t million = 1 << 20;  // elements: 4 MiB of float32

template <class T>
struct TypeOf;
template <>
struct TypeOf<float> {
  static constexpr kernels::DataType type = kernels::DataType::f32;
  static constexpr const char* name = "float";
};
template <>
struct TypeOf<kernels::Bf16> {
  static constexpr kernels::DataType type = kernels::DataType::bf16;
  static constexpr const char* name = "Bf16";
};
template <class T>
constexpr double bytes = sizeof(T);
template <class T>
constexpr int pack = 16 / sizeof(T);  // what a thread takes at once

// Zeros, with a plain layout.
template <class T>
class Tensor {
 public:
  Tensor(kernels::Device& device, const kernels::Shape& shape, kernels::cuda::Order order = kernels::cuda::Order::plain)
      : layout(kernels::cuda::make_layout(shape, TypeOf<T>::type, order)), memory(device.allocate(layout->bytes())) {}
  operator kernels::View() const { return {memory.data(), layout.get()}; }       // NOLINT(google-explicit-constructor)
  operator kernels::ConstView() const { return {memory.data(), layout.get()}; }  // NOLINT(google-explicit-constructor)
  T* data() const { return static_cast<T*>(memory.data()); }

  kernels::LayoutPtr layout;
  kernels::Buffer memory;
};

}  // namespace lockstep::ptx
