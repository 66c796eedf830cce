// Stand-ins for the functions of libcudart that the CUDA back-end calls, typed by NVIDIA's own header; linked in its
// place.
#include <cuda_runtime.h>

#include <cstring>
#include <vector>

#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/gpu_emulation/runtime/memory.hpp"
#include "tests/gpu_emulation/runtime/streams.hpp"

using lockstep::emulation::memory;
using lockstep::emulation::MemoryKind;
using lockstep::emulation::streams;

static constexpr int emulated_devices = 8;
static thread_local int current_device = 0;

extern "C" {

// --- devices ---
cudaError_t cudaGetDeviceCount(int* count) {
  *count = emulated_devices;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= emulated_devices) return cudaErrorInvalidDevice;
  current_device = device;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  *properties = {};
  std::strncpy(properties->name, "emulated GPU", sizeof properties->name - 1);
  properties->major = 9;
  properties->multiProcessorCount = 4;
  properties->maxThreadsPerMultiProcessor = 2048;
  properties->sharedMemPerBlockOptin = lockstep::emulation::settings().most_shared_bytes;
  properties->totalGlobalMem = memory().limit();
  properties->uuid.bytes[0] = static_cast<char>(device);
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr /*which*/, int /*device*/) {
  *value = 0;  // it has no clocks
  return cudaErrorInvalidValue;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = memory().limit();
  *free = *total - memory().bytes_in_use(MemoryKind::device);
  return cudaSuccess;
}

// --- memory ---
cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  if (const cudaError_t result = streams().outside_captures("cudaMalloc"); result != cudaSuccess) return result;
  *pointer = memory().allocate(MemoryKind::device, bytes);
  return *pointer != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaFree(void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  if (const cudaError_t result = streams().outside_captures("cudaFree"); result != cudaSuccess) return result;
  const cudaError_t result = streams().wait_for_all();
  return memory().release(MemoryKind::device, pointer) ? result : cudaErrorInvalidValue;
}
cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  if (const cudaError_t result = streams().outside_captures("cudaMallocHost"); result != cudaSuccess) return result;
  *pointer = memory().allocate(MemoryKind::pinned, bytes);
  return *pointer != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaFreeHost(void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  return memory().release(MemoryKind::pinned, pointer) ? cudaSuccess : cudaErrorInvalidValue;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  if (!memory().holds(MemoryKind::device, to, bytes)) return cudaErrorInvalidValue;
  return streams().queue(stream, {"memset", [=] { std::memset(to, value, bytes); }, nullptr, 0});
}
// Pageable host memory is read at the call, and written before the call returns; pinned memory whenever the stream gets
// there. (CUDA runtime API, "API synchronization behavior".)
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind /*kind*/,
                            cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  ++streams().counts.copies;
  const bool to_device = memory().touches(MemoryKind::device, to);
  const bool from_device = memory().touches(MemoryKind::device, from);
  if (to_device && !memory().holds(MemoryKind::device, to, bytes)) return cudaErrorInvalidValue;
  if (from_device && !memory().holds(MemoryKind::device, from, bytes)) return cudaErrorInvalidValue;
  if (!to_device && !from_device) return cudaErrorInvalidValue;  // legal, and never meant
  const bool pageable = (to_device != from_device) && !memory().holds(MemoryKind::pinned, to_device ? from : to, bytes);
  if (pageable && stream != nullptr && stream->capture.in)
    return streams().outside_captures("a copy of pageable memory");
  if (to_device && pageable) {
    const auto* begin = static_cast<const char*>(from);
    return streams().queue(stream, {"copy",
                                    [to, bytes, staged = std::vector<char>(begin, begin + bytes)] {
                                      std::memcpy(to, staged.data(), bytes);
                                    },
                                    nullptr, 0});
  }
  const cudaError_t result = streams().queue(stream, {"copy", [=] { std::memcpy(to, from, bytes); }, nullptr, 0});
  return pageable && result == cudaSuccess ? cudaStreamSynchronize(stream) : result;
}

// --- streams and events ---
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  *stream = streams().create();
  return cudaSuccess;
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}
// The order is random whatever the priority: it is a wish that CUDA may ignore.
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  return priority <= 0 && priority >= -5 ? cudaStreamCreateWithFlags(stream, flags) : cudaErrorInvalidValue;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) { return streams().destroy(stream); }
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (const cudaError_t result = streams().outside_captures("waiting"); result != cudaSuccess) return result;
  ++streams().counts.synchronizations;
  return streams().wait([&] { return streams().idle(stream); });
}
cudaError_t cudaDeviceSynchronize() {
  const cudaError_t allowed = streams().outside_captures("waiting");
  return allowed == cudaSuccess ? streams().wait_for_all() : allowed;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned /*flags*/) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) { return streams().record(*event, stream); }
// What counts is the event's last record before this call; an event that was never recorded holds nobody up.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned /*flags*/) {
  return streams().await(stream, *event);
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (const cudaError_t result = streams().outside_captures("waiting"); result != cudaSuccess) return result;
  if (*event->done < event->recorded) ++streams().counts.event_waits;
  return streams().wait([&] { return *event->done >= event->recorded; });
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (const cudaError_t result = streams().outside_captures("asking for an event"); result != cudaSuccess)
    return result;
  return *event->done >= event->recorded ? cudaSuccess : cudaErrorNotReady;
}

// --- errors ---
cudaError_t cudaGetLastError() {
  const cudaError_t error = streams().error();
  if (error != cudaErrorLaunchFailure) streams().forget_error();  // a failed kernel leaves a context that is of no use
  return error;
}
cudaError_t cudaPeekAtLastError() { return streams().error(); }
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorNotReady:
      return "device not ready";
    case cudaErrorLaunchFailure:
      return streams().error_text().c_str();
    default:
      return streams().error_text().empty() ? "unknown error" : streams().error_text().c_str();
  }
}

}  // extern "C"
