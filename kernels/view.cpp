#include "kernels/view.hpp"

#include "common/error.hpp"

namespace lockstep::kernels {

std::int64_t Layout::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape_) count *= extent;
  return count;
}

void expect(const ConstView& view, const LayoutPtr& layout, const char* what) {
  if (view.data == nullptr || view.layout == nullptr) throw failure("{}: no memory was given", what);
  if (!layout->same_as(*view.layout)) throw failure("{}: the view is not in the layout that was planned", what);
}

void to_plain(Device& device, const LayoutPtr& layout, const void* from, void* plain, Stream& stream) {
  const LayoutPtr rows = make_plain_layout(device, layout->shape(), layout->type());
  make_reorder(device, layout, rows)->run({from, layout.get()}, {plain, rows.get()}, stream);
  stream.synchronize();
}

void from_plain(Device& device, const LayoutPtr& layout, const void* plain, void* to, Stream& stream) {
  const LayoutPtr rows = make_plain_layout(device, layout->shape(), layout->type());
  make_reorder(device, rows, layout)->run({plain, rows.get()}, {to, layout.get()}, stream);
  stream.synchronize();
}

}  // namespace lockstep::kernels
