#include "kernels/cpu/layout.hpp"

namespace lockstep::kernels::cpu {
namespace {

// oneDNN's own comparison tells layouts apart by strides of axes of extent 1, which no memory access ever uses.
bool is_plain(const dnnl::memory::desc& desc) {
  const dnnl_memory_desc_t& raw = desc.data;
  if (raw.format_kind != dnnl_blocked || raw.format_desc.blocking.inner_nblks != 0 || raw.offset0 != 0) return false;
  std::int64_t stride = 1;
  for (int axis = raw.ndims - 1; axis >= 0; --axis) {
    if (raw.padded_dims[axis] != raw.dims[axis]) return false;
    if (raw.dims[axis] > 1 && raw.format_desc.blocking.strides[axis] != stride) return false;
    stride *= raw.dims[axis];
  }
  return true;
}

}  // namespace

CpuLayout::CpuLayout(Shape shape, const dnnl::memory::desc& desc)
    : Layout(std::move(shape), DataType::f32), desc_(desc), plain_(is_plain(desc)) {}

bool CpuLayout::same_as(const Layout& other) const {
  if (this == &other) return true;
  if (shape() != other.shape()) return false;
  return (plain() && other.plain()) || desc_ == desc_of(other);
}

dnnl::memory::desc plain_desc(const Shape& shape) {
  dnnl::memory::dims strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return {shape, dnnl::memory::data_type::f32, strides};
}

LayoutPtr make_layout(const dnnl::memory::desc& desc) { return std::make_shared<CpuLayout>(desc.dims(), desc); }

LayoutPtr make_plain_layout(const Shape& shape) { return std::make_shared<CpuLayout>(shape, plain_desc(shape)); }

const dnnl::memory::desc& desc_of(const Layout& layout) { return static_cast<const CpuLayout&>(layout).desc(); }

}  // namespace lockstep::kernels::cpu
