#include "kernels/cpu/primitive.hpp"

#include "common/error.hpp"

namespace lockstep::kernels::cpu {

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

dnnl::primitive_attr attributes(bool relu) {
  dnnl::primitive_attr with = attributes();
  if (relu) {
    dnnl::post_ops after;
    after.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
    with.set_post_ops(after);
  }
  return with;
}

Primitive::Primitive(CpuDevice& device, const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad,
                     std::initializer_list<Argument> arguments)
    : device_(&device), primitive_(primitive) {
  device.reserve_scratch(scratchpad.get_size());
  arguments_.emplace(DNNL_ARG_SCRATCHPAD, dnnl::memory(scratchpad, device.engine(), DNNL_MEMORY_NONE));
  for (const auto& [id, desc] : arguments) {
    arguments_.emplace(id, dnnl::memory(desc, device.engine(), DNNL_MEMORY_NONE));
  }
}

void Primitive::run(Stream& stream, std::initializer_list<std::pair<int, const void*>> data) {
  device_->use_threads();
  arguments_.at(DNNL_ARG_SCRATCHPAD).set_data_handle(device_->scratch());
  // oneDNN takes inputs and outputs alike as void*; it writes to the outputs alone.
  for (const auto& [id, memory] : data) arguments_.at(id).set_data_handle(const_cast<void*>(memory));
  primitive_.execute(of(stream).get(), arguments_);
}

void throw_planning_failure(const char* what, const dnnl::error& error) {
  throw failure("oneDNN cannot plan {}: {}", what, error.what());
}

}  // namespace lockstep::kernels::cpu
