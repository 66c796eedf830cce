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

// A stream's work is done when the call returns, so there is nothing to wait for.
class CpuEvent : public Event {
 public:
  void record(Stream& /*stream*/) override {}
  void hold_back(Stream& /*stream*/) override {}
  void wait() override {}
};

class CpuDevice : public Device {
 public:
  explicit CpuDevice(const CpuWays& ways);
  DeviceKind kind() const override { return DeviceKind::cpu; }
  std::string name() const override;
  std::string identity() const override { return "cpu"; }
  std::unique_ptr<Stream> make_stream() override { return std::make_unique<CpuStream>(engine_); }
  std::unique_ptr<Event> make_event() override { return std::make_unique<CpuEvent>(); }
  Buffer allocate(std::size_t bytes) override;
  Buffer allocate_host(std::size_t bytes) override { return allocate(bytes); }
  void copy(void* to, const void* from, std::size_t bytes, Stream& stream) override;
  std::unique_ptr<Recording> record(Stream& stream, const std::function<void()>& work) override;
  Planner& planner() override { return *planner_; }

  const dnnl::engine& engine() const { return engine_; }
  bool winograd() const { return ways_.winograd; }
  // Before planning and before running: oneDNN asks OpenMP, whose answer belongs to the calling thread.
  void use_threads() const;
  // oneDNN's own scratch memory would be one per primitive; the steps of a stream never overlap, so one serves all.
  void reserve_scratch(std::size_t bytes);
  void* scratch() const { return scratch_.data(); }

 private:
  CpuWays ways_;
  dnnl::engine engine_;
  Buffer scratch_;
  std::unique_ptr<Planner> planner_;
};

// The stream behind the interface.
CpuStream& of(Stream& stream);

}  // namespace lockstep::kernels::cpu
