// One oneDNN primitive with its arguments' descriptors: made once, run on changing memory.
#pragma once

#include <dnnl.hpp>
#include <initializer_list>
#include <unordered_map>
#include <utility>

#include "kernels/cpu/device.hpp"

namespace lockstep::kernels::cpu {

// Attributes that every primitive here is planned with: scratch memory comes from the device.
dnnl::primitive_attr attributes();
// The same, and max(y, 0) on the result if relu.
dnnl::primitive_attr attributes(bool relu);

class Primitive {
 public:
  using Argument = std::pair<int, dnnl::memory::desc>;  // DNNL_ARG_...

  Primitive() = default;
  Primitive(CpuDevice& device, const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad,
            std::initializer_list<Argument> arguments);
  void run(Stream& stream, std::initializer_list<std::pair<int, const void*>> data);

 private:
  CpuDevice* device_ = nullptr;
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

// make(), with oneDNN's refusal ("could not create a primitive descriptor") turned into an Error that names `what`.
template <class Make>
auto plan(CpuDevice& device, const char* what, Make make);

[[noreturn]] void throw_planning_failure(const char* what, const dnnl::error& error);

template <class Make>
auto plan(CpuDevice& device, const char* what, Make make) {
  device.use_threads();
  try {
    return make();
  } catch (const dnnl::error& error) {
    throw_planning_failure(what, error);
  }
}

}  // namespace lockstep::kernels::cpu
