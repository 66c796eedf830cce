// Layouts of the CUDA back-end: plain, or channels last: (samples, height, width, channels) in memory for the logical
// shape (samples, channels, height, width), which is how convolutions become one matrix product.
#pragma once

#include "kernels/view.hpp"

namespace lockstep::kernels::cuda {

enum class Order { plain, channels_last };

class CudaLayout : public Layout {
 public:
  CudaLayout(Shape shape, DataType type, Order order) : Layout(std::move(shape), type), order_(order) {}
  std::size_t bytes() const override { return static_cast<std::size_t>(elements()) * bytes_of(type()); }
  // One channel, or one place, has no order among its elements.
  bool plain() const override { return order_ == Order::plain || shape()[1] == 1 || shape()[2] * shape()[3] == 1; }
  bool same_as(const Layout& other) const override {
    return shape() == other.shape() && type() == other.type() &&
           plain() == static_cast<const CudaLayout&>(other).plain();
  }

 private:
  Order order_;
};

inline LayoutPtr make_layout(const Shape& shape, DataType type, Order order = Order::plain) {
  return std::make_shared<CudaLayout>(shape, type, order);
}

}  // namespace lockstep::kernels::cuda
