// Copies between layouts, by oneDNN's reorder.
#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/operations.hpp"
#include "kernels/cpu/primitive.hpp"

namespace lockstep::kernels::cpu {
namespace {

class CpuReorder : public Reorder {
 public:
  CpuReorder(CpuDevice& device, const LayoutPtr& from, const LayoutPtr& to) : device_(device), from_(from), to_(to) {
    plan(device, "a reorder", [&] {
      const dnnl::reorder::primitive_desc pd(device.engine(), desc_of(*from), device.engine(), desc_of(*to),
                                             attributes());
      reorder_ = Primitive(device, dnnl::reorder(pd), pd.scratchpad_desc(),
                           {{DNNL_ARG_FROM, pd.src_desc()}, {DNNL_ARG_TO, pd.dst_desc()}});
    });
  }

  void run(ConstView from, View to, Stream& stream) override {
    expect(from, from_, "reorder: source");
    expect(to, to_, "reorder: destination");
    reorder_.run(stream, {{DNNL_ARG_FROM, from.data}, {DNNL_ARG_TO, to.data}});
    ++device_.counters().reorders;
  }

 private:
  CpuDevice& device_;
  LayoutPtr from_;
  LayoutPtr to_;
  Primitive reorder_;
};

}  // namespace

std::unique_ptr<Reorder> make_reorder(CpuDevice& device, const LayoutPtr& from, const LayoutPtr& to) {
  return std::make_unique<CpuReorder>(device, from, to);
}

}  // namespace lockstep::kernels::cpu
