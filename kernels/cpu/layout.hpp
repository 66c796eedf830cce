// Layouts of the CPU back-end are oneDNN memory descriptors, of float32.
#pragma once

#include <dnnl.hpp>

#include "kernels/view.hpp"

namespace lockstep::kernels::cpu {

class CpuLayout : public Layout {
 public:
  CpuLayout(Shape shape, const dnnl::memory::desc& desc);
  std::size_t bytes() const override { return desc_.get_size(); }
  bool plain() const override { return plain_; }
  bool same_as(const Layout& other) const override;
  const dnnl::memory::desc& desc() const { return desc_; }

 private:
  dnnl::memory::desc desc_;
  bool plain_;
};

dnnl::memory::desc plain_desc(const Shape& shape);
LayoutPtr make_layout(const dnnl::memory::desc& desc);
LayoutPtr make_plain_layout(const Shape& shape);
const dnnl::memory::desc& desc_of(const Layout& layout);

}  // namespace lockstep::kernels::cpu
