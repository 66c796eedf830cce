// Tensors as operations see them: memory that somebody else owns, and a layout that only the back-end understands.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/device.hpp"

namespace lockstep::kernels {

using Shape = std::vector<std::int64_t>;  // logical: (samples, channels, height, width), (rows, columns), (count)

// A logical shape and the way its numbers lie in memory. "Plain" is row-major without gaps; anything else is the
// back-end's own (blocked, padded) and may be entered and left only by a Reorder.
class Layout {
 public:
  Layout(Shape shape, DataType type) : shape_(std::move(shape)), type_(type) {}
  virtual ~Layout() = default;
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;

  const Shape& shape() const { return shape_; }
  DataType type() const { return type_; }
  std::int64_t elements() const;          // of the logical shape, without padding
  virtual std::size_t bytes() const = 0;  // of memory, with padding
  virtual bool plain() const = 0;
  virtual bool same_as(const Layout& other) const = 0;

 private:
  Shape shape_;
  DataType type_;
};
using LayoutPtr = std::shared_ptr<const Layout>;

struct View {
  void* data = nullptr;
  const Layout* layout = nullptr;
  float* f32() const { return as<float>(); }
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

struct ConstView {
  const void* data = nullptr;
  const Layout* layout = nullptr;
  ConstView() = default;
  ConstView(const void* memory, const Layout* how) : data(memory), layout(how) {}
  ConstView(const View& view) : data(view.data), layout(view.layout) {}  // NOLINT(google-explicit-constructor)
  const float* f32() const { return as<float>(); }
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
};

// For back-ends. Throws Error when a view is not in the layout that the plan was made for; `what` names the argument.
void expect(const ConstView& view, const LayoutPtr& layout, const char* what);

LayoutPtr make_plain_layout(Device& device, const Shape& shape, DataType type);

// Copies between two layouts of one logical shape. Every run is counted in Counters::reorders.
class Reorder {
 public:
  virtual ~Reorder() = default;
  virtual void run(ConstView from, View to, Stream& stream) = 0;
};
std::unique_ptr<Reorder> make_reorder(Device& device, const LayoutPtr& from, const LayoutPtr& to);

// Once, without keeping a plan: for tests and rare copies. `plain` holds layout.elements() numbers of the layout's type
// in row-major order.
void to_plain(Device& device, const LayoutPtr& layout, const void* from, void* plain, Stream& stream);
void from_plain(Device& device, const LayoutPtr& layout, const void* plain, void* to, Stream& stream);

}  // namespace lockstep::kernels
