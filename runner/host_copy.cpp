#include "runner/host_copy.hpp"

namespace lockstep::runner {

HostCopy::HostCopy(kernels::Device& device, kernels::Stream& stream, std::span<float> values)
    : device_(device), stream_(stream), there_(values), host_(values) {
  if (!device.memory_is_the_hosts()) {
    copy_ = device.allocate_host(values.size_bytes());
    host_ = copy_.as<float>();
    device.copy(host_.data(), there_.data(), there_.size_bytes(), stream);
  }
  stream.synchronize();
}

void HostCopy::give_back() {
  if (device_.memory_is_the_hosts()) return;
  device_.copy(there_.data(), host_.data(), there_.size_bytes(), stream_);
  stream_.synchronize();
}

}  // namespace lockstep::runner
