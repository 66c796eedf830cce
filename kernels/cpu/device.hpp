// The CPU device: a oneDNN engine, a fixed number of threads and one scratch memory that all plans share.
#pragma once

#include <dnnl.hpp>

#include "kernels/planner.hpp"

namespace lockstep::kernels::cpu {

class CpuStream : public Stream {
 public:
  explicit CpuStream(const dnnl::engine& engine) : stream_(engine) {}
  void synchronize() override { stream_.wait(); }
  dnnl::stream& get() { return stream_; }

 private:
  dnnl::stream stream_;
};

class CpuDevice : public Device {
 public:
  explicit CpuDevice(int threads);
  DeviceKind kind() const override { return DeviceKind::cpu; }
  std::string name() const override;
  std::unique_ptr<Stream> make_stream() override { return std::make_unique<CpuStream>(engine_); }
  Buffer allocate(std::size_t bytes) override;
  void copy(void* to, const void* from, std::size_t bytes, Stream& stream) override;
  Planner& planner() override { return *planner_; }

  const dnnl::engine& engine() const { return engine_; }
  // Before planning and before running: oneDNN asks OpenMP, whose answer belongs to the calling thread.
  void use_threads() const;
  // oneDNN's own scratch memory would be one per primitive; the steps of a stream never overlap, so one serves all.
  void reserve_scratch(std::size_t bytes);
  void* scratch() const { return scratch_.data(); }

 private:
  int threads_;
  dnnl::engine engine_;
  Buffer scratch_;
  std::unique_ptr<Planner> planner_;
};

// The stream behind the interface.
CpuStream& of(Stream& stream);

}  // namespace lockstep::kernels::cpu
