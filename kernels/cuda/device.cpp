#include "kernels/cuda/device.hpp"

#include <fmt/format.h>

#include "common/error.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels {

std::unique_ptr<Device> make_cuda_device(int index, MatmulPrecision precision) {
  return std::make_unique<cuda::CudaDevice>(index, precision);
}

namespace cuda {

CudaStream::CudaStream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream"); }
CudaStream::~CudaStream() { cudaStreamDestroy(stream_); }
void CudaStream::synchronize() { check(cudaStreamSynchronize(stream_), "waiting for a stream"); }

CudaDevice::CudaDevice(int index, MatmulPrecision precision) : index_(index), precision_(precision) {
  check(cudaSetDevice(index), "choosing a device");
  check(cudaGetDeviceProperties(&properties_, index), "asking for a device's properties");
  constexpr int blocks_per_processor = 8;  // of 256 threads: as many as a multiprocessor holds at once
  most_blocks_ = blocks_per_processor * properties_.multiProcessorCount;
  planner_ = make_planner(*this);
}

std::string CudaDevice::name() const {
  return fmt::format("cuda {}: {}, compute capability {}.{}, {} GiB", index_, properties_.name, properties_.major,
                     properties_.minor, properties_.totalGlobalMem >> 30U);
}

Buffer CudaDevice::allocate(std::size_t bytes) {
  if (bytes == 0) return {};
  void* data = nullptr;
  if (const cudaError_t result = cudaMalloc(&data, bytes); result == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // it was told here
    std::size_t free = 0;
    std::size_t total = 0;
    check(cudaMemGetInfo(&free, &total), "asking for free memory");
    throw failure(
        "no room for {} bytes on CUDA device {}: {} of {} are free; a smaller batch needs less, more ranks share "
        "a batch",
        bytes, index_, free, total);
  } else {
    check(result, "allocating device memory");
  }
  Buffer made(data, bytes, [](void* memory, std::size_t /*bytes*/) { cudaFree(memory); });
  CudaStream stream;
  check(cudaMemsetAsync(data, 0, bytes, stream.get()), "zeroing device memory");
  stream.synchronize();
  return made;
}

void CudaDevice::copy(void* to, const void* from, std::size_t bytes, Stream& stream) {
  if (bytes > 0) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, of(stream)), "copying");
}

cudaStream_t of(Stream& stream) { return static_cast<CudaStream&>(stream).get(); }

}  // namespace cuda
}  // namespace lockstep::kernels
