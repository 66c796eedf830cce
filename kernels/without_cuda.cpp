// What a program links that has no CUDA back-end: no device, and the reason.
#include "common/error.hpp"
#include "kernels/device.hpp"

namespace lockstep::kernels {

CudaDevices find_cuda_devices() { return {0, "built without CUDA"}; }

std::unique_ptr<Device> make_cuda_device(int index, MatmulPrecision /*precision*/) {
  throw failure("there is no CUDA device {}: this program was built without CUDA", index);
}

}  // namespace lockstep::kernels
