#include "kernels/cuda/device.hpp"

#include <fmt/ranges.h>

#include <cstring>

#include "common/error.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels {

CudaDevices find_cuda_devices() {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result == cudaSuccess && count > 0) return {count, ""};
  cudaGetLastError();  // it was told here
  return {0, result == cudaSuccess ? "no CUDA device" : std::string("no CUDA device: ") + cudaGetErrorString(result)};
}

std::unique_ptr<Device> make_cuda_device(int index, MatmulPrecision precision) {
  return std::make_unique<cuda::CudaDevice>(index, precision);
}

namespace cuda {

CudaStream::CudaStream(Priority priority) {
  int least = 0;
  int greatest = 0;
  check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "asking for stream priorities");
  check(
      cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, priority == Priority::greatest ? greatest : least),
      "making a stream");
}
CudaStream::~CudaStream() { cudaStreamDestroy(stream_); }
void CudaStream::synchronize() { check(cudaStreamSynchronize(stream_), "waiting for a stream"); }

// No timestamps, which cost time, and no spinning of the host while it waits.
CudaEvent::CudaEvent() {
  check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming | cudaEventBlockingSync), "making an event");
}
CudaEvent::~CudaEvent() { cudaEventDestroy(event_); }
void CudaEvent::record(Stream& stream) { check(cudaEventRecord(event_, of(stream)), "recording an event"); }
void CudaEvent::hold_back(Stream& stream) {
  check(cudaStreamWaitEvent(of(stream), event_, 0), "making a stream wait for an event");
}
void CudaEvent::wait() { check(cudaEventSynchronize(event_), "waiting for an event"); }

CudaDevice::CudaDevice(int index, MatmulPrecision precision) : index_(index), precision_(precision) {
  check(cudaSetDevice(index), "choosing a device");
  check(cudaGetDeviceProperties(&properties_, index), "asking for a device's properties");
  constexpr int blocks_per_processor = 8;  // of 256 threads: as many as a multiprocessor holds at once
  most_blocks_ = blocks_per_processor * properties_.multiProcessorCount;
  planner_ = make_planner(*this);
}

int CudaDevice::attribute(cudaDeviceAttr which) const {
  int value = 0;
  return cudaDeviceGetAttribute(&value, which, index_) == cudaSuccess ? value : 0;
}

std::string CudaDevice::name() const {
  int driver = 0;
  cudaDriverGetVersion(&driver);
  std::string name = fmt::format("cuda {}: {}, compute capability {}.{}, {} GiB, driver for CUDA {}.{}", index_,
                                 properties_.name, properties_.major, properties_.minor,
                                 properties_.totalGlobalMem >> 30U, driver / 1000, driver % 1000 / 10);
  if (const int clock_khz = attribute(cudaDevAttrClockRate); clock_khz > 0) {
    name += fmt::format(", {} MHz, memory {} MHz", clock_khz / 1000, attribute(cudaDevAttrMemoryClockRate) / 1000);
  }
  return name;
}

// Memory sends two words a clock. Units for float32 in a multiprocessor: CUDA C++ programming guide, "Arithmetic
// instructions", table of throughputs.
DeviceLimits CudaDevice::limits() const {
  const int capability = properties_.major * 10 + properties_.minor;
  const double units = capability == 75 || capability == 80 ? 64 : 128;
  const double clock = 1e3 * attribute(cudaDevAttrClockRate);
  const double memory_clock = 1e3 * attribute(cudaDevAttrMemoryClockRate);
  return {2 * memory_clock * attribute(cudaDevAttrGlobalMemoryBusWidth) / 8,
          2 * units * clock * properties_.multiProcessorCount};
}

std::string CudaDevice::identity() const {
  const auto* bytes = reinterpret_cast<const unsigned char*>(properties_.uuid.bytes);
  return fmt::format("GPU-{:02x}", fmt::join(bytes, bytes + sizeof properties_.uuid.bytes, ""));
}

Buffer CudaDevice::allocate_host(std::size_t bytes) {
  if (bytes == 0) return {};
  void* data = nullptr;
  check(cudaMallocHost(&data, bytes), "allocating pinned memory");
  std::memset(data, 0, bytes);
  return {data, bytes, [](void* memory, std::size_t /*bytes*/) { cudaFreeHost(memory); }};
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
