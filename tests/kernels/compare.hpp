// What the kernel tests share: reproducible inputs, tensors on a device, and comparison with the reference.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <string>

#include "kernels/bf16.hpp"
#include "kernels/kernels.hpp"
#include "kernels/planner.hpp"
#include "kernels/reference/reference.hpp"

namespace lockstep::kernels {

using reference::Matrix;
using reference::Vector;

// Uniform in [-1, 1), exact in float, the same in every run.
inline Matrix random_matrix(std::int64_t rows, std::int64_t columns, std::uint32_t seed) {
  Matrix made(rows, columns);
  for (std::int64_t i = 0; i < made.size(); ++i) {
    const auto word = philox4x32({static_cast<std::uint32_t>(i), 0, 0, 0}, {seed, 4711})[0];
    made.data()[i] = double{2 * unit_interval(word) - 1};
  }
  return made;
}
inline Vector random_vector(std::int64_t count, std::uint32_t seed) {
  return random_matrix(1, count, seed).transpose();
}

// Every value finite and within tolerance * max(1, largest wanted magnitude). Written as what passes: NaN never does.
inline ::testing::AssertionResult agree(std::span<const float> got, std::span<const double> want, double tolerance) {
  if (got.size() != want.size()) {
    return ::testing::AssertionFailure() << got.size() << " values, " << want.size() << " wanted";
  }
  double scale = 1;
  for (const double value : want) scale = std::max(scale, std::abs(value));
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(static_cast<double>(got[i]) - want[i]);
    const bool ok = std::isfinite(got[i]) && std::isfinite(want[i]) && error <= tolerance * scale;
    if (!ok) return ::testing::AssertionFailure() << "[" << i << "] is " << got[i] << ", wanted " << want[i];
  }
  return ::testing::AssertionSuccess();
}

// What the tests run on: each program that has them names its own (on_cpu.cpp, tests/gpu_emulation/on_emulator).
std::unique_ptr<Device> make_test_device();

class OnDevice : public ::testing::Test {
 protected:
  // Memory in a layout, filled from and read back as row-major values.
  struct Tensor {
    LayoutPtr layout;
    Buffer memory;
    operator View() const { return {memory.data(), layout.get()}; }       // NOLINT(google-explicit-constructor)
    operator ConstView() const { return {memory.data(), layout.get()}; }  // NOLINT(google-explicit-constructor)
  };
  Tensor empty(const LayoutPtr& layout) { return {layout, device->allocate(layout->bytes())}; }
  template <class Values>
  Tensor filled(const LayoutPtr& layout, const Values& values) {
    Tensor made = empty(layout);
    const std::vector<float> plain(values.data(), values.data() + values.size());
    EXPECT_EQ(static_cast<std::int64_t>(plain.size()), layout->elements());
    if (layout->type() == DataType::bf16) {
      std::vector<Bf16> narrow(plain.size());
      std::transform(plain.begin(), plain.end(), narrow.begin(), to_bf16);
      from_plain(*device, layout, narrow.data(), made.memory.data(), *stream);
    } else {
      from_plain(*device, layout, plain.data(), made.memory.data(), *stream);
    }
    return made;
  }
  LayoutPtr plain(const Shape& shape) { return make_plain_layout(*device, shape, type); }
  std::vector<float> values(const Tensor& tensor) {
    std::vector<float> made(static_cast<std::size_t>(tensor.layout->elements()));
    if (tensor.layout->type() == DataType::bf16) {
      std::vector<Bf16> narrow(made.size());
      to_plain(*device, tensor.layout, tensor.memory.data(), narrow.data(), *stream);
      std::transform(narrow.begin(), narrow.end(), made.begin(), to_f32);
    } else {
      to_plain(*device, tensor.layout, tensor.memory.data(), made.data(), *stream);
    }
    return made;
  }
  template <class Values>
  ::testing::AssertionResult agrees(const Tensor& got, const Values& want, double tolerance) {
    return agree(values(got), {want.data(), static_cast<std::size_t>(want.size())}, tolerance);
  }

  // Values in device memory without a layout, and back.
  template <class Value>
  Buffer moved(const std::vector<Value>& values) {
    Buffer made = device->allocate(values.size() * sizeof(Value));
    device->copy(made.data(), values.data(), made.bytes(), *stream);
    stream->synchronize();
    return made;
  }
  template <class Value>
  std::vector<Value> back(const Buffer& memory) {
    std::vector<Value> made(memory.bytes() / sizeof(Value));
    device->copy(made.data(), memory.data(), memory.bytes(), *stream);
    stream->synchronize();
    return made;
  }

  // Runs `test` once in every type that the device computes in.
  template <class Test>
  void in_every_type(Test test) {
    for (const DataType each : {DataType::f32, DataType::bf16}) {
      if (!device->planner().computes_in(each)) continue;
      SCOPED_TRACE(name_of(each));
      type = each;
      test();
    }
    type = DataType::f32;
  }
  // What the tensors' type keeps of the values.
  Matrix rounded(const Matrix& values) const {
    return values.unaryExpr([this](double value) {
      const auto single = static_cast<float>(value);
      return double{type == DataType::bf16 ? to_f32(to_bf16(single)) : single};
    });
  }
  Matrix random(std::int64_t rows, std::int64_t columns, std::uint32_t seed) const {
    return rounded(random_matrix(rows, columns, seed));
  }
  Vector random(std::int64_t count, std::uint32_t seed) const { return random(1, count, seed).transpose(); }
  // In bfloat16 what an operation gives is rounded to 8 bits, an error of up to 2^-9 of it, after sums in float32. 2^-8
  // leaves room for one more rounding on the way there.
  double tolerance(double in_f32) const { return type == DataType::f32 ? in_f32 : std::max(in_f32, 0x1p-8); }

  DataType type = DataType::f32;  // of the tensors
  std::unique_ptr<Device> device = make_test_device();
  std::unique_ptr<Stream> stream = device->make_stream();
};

// d f / d at, by central differences.
inline Matrix numeric_gradient(const std::function<double(const Matrix&)>& f, Matrix at, double step = 1e-5) {
  Matrix made(at.rows(), at.cols());
  for (std::int64_t i = 0; i < at.size(); ++i) {
    const double kept = at.data()[i];
    at.data()[i] = kept + step;
    const double above = f(at);
    at.data()[i] = kept - step;
    made.data()[i] = (above - f(at)) / (2 * step);
    at.data()[i] = kept;
  }
  return made;
}

inline ::testing::AssertionResult agree(const Matrix& got, const Matrix& want, double tolerance) {
  const bool ok = got.rows() == want.rows() && got.cols() == want.cols() && got.allFinite() && want.allFinite() &&
                  (got - want).cwiseAbs().maxCoeff() <= tolerance * std::max(1.0, want.cwiseAbs().maxCoeff());
  if (ok) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "got\n" << got << "\nwanted\n" << want;
}

}  // namespace lockstep::kernels
