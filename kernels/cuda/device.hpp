// A CUDA device, its streams and its memory.
#pragma once

#include <cuda_runtime.h>

#include "kernels/planner.hpp"

namespace lockstep::kernels::cuda {

enum class Priority { least, greatest };

class CudaStream : public Stream {
 public:
  explicit CudaStream(Priority priority = Priority::least);  // it never waits for the null stream
  ~CudaStream() override;
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  void synchronize() override;
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class CudaEvent : public Event {
 public:
  CudaEvent();
  ~CudaEvent() override;
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  void record(Stream& stream) override;
  void hold_back(Stream& stream) override;
  void wait() override;

 private:
  cudaEvent_t event_ = nullptr;
};

class CudaDevice : public Device {
 public:
  CudaDevice(int index, MatmulPrecision precision);  // makes it the calling thread's current device
  DeviceKind kind() const override { return DeviceKind::cuda; }
  std::string name() const override;
  std::string identity() const override;
  DeviceLimits limits() const override;
  std::unique_ptr<Stream> make_stream() override { return std::make_unique<CudaStream>(Priority::least); }
  std::unique_ptr<Stream> make_urgent_stream() override { return std::make_unique<CudaStream>(Priority::greatest); }
  std::unique_ptr<Event> make_event() override { return std::make_unique<CudaEvent>(); }
  Buffer allocate(std::size_t bytes) override;
  Buffer allocate_host(std::size_t bytes) override;
  void copy(void* to, const void* from, std::size_t bytes, Stream& stream) override;
  std::unique_ptr<Recording> record(Stream& stream, const std::function<void()>& work) override;
  Planner& planner() override { return *planner_; }

  // Blocks that fill the device a few times over: the most that a grid-stride kernel starts.
  int most_blocks() const { return most_blocks_; }
  // What a block may ask for.
  std::size_t most_shared_bytes() const { return properties_.sharedMemPerBlockOptin; }
  bool has_bf16() const { return properties_.major >= 8; }  // in its tensor cores; cuBLASLt has no products without
  MatmulPrecision matmul_precision() const { return precision_; }

 private:
  int attribute(cudaDeviceAttr which) const;  // 0 where the driver does not know it

  int index_;
  MatmulPrecision precision_;
  int most_blocks_ = 0;
  cudaDeviceProp properties_{};
  std::unique_ptr<Planner> planner_;
};

// The stream behind the interface.
cudaStream_t of(Stream& stream);

}  // namespace lockstep::kernels::cuda
