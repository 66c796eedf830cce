// Where operations run and where their numbers live: one small interface, a back-end behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace lockstep::kernels {

enum class DeviceKind { cpu, cuda };
enum class DataType { f32, bf16 };

constexpr std::size_t bytes_of(DataType type) { return type == DataType::f32 ? 4 : 2; }
constexpr const char* name_of(DataType type) { return type == DataType::f32 ? "float32" : "bfloat16"; }

// What a device has done since it was made. Tests hold a training step to its number of reorders.
struct Counters {
  std::int64_t reorders = 0;  // copies from one layout into another
};

// What a device can do at most, by what it says of itself; 0 where it does not say. What is measured is held against
// it.
struct DeviceLimits {
  double bytes_per_s = 0;     // of its memory
  double f32_flop_per_s = 0;  // multiply-adds count twice
};

// An in-order queue of work. A call on it may return before the work is done (on a CPU it never does).
class Stream {
 public:
  virtual ~Stream() = default;
  virtual void synchronize() = 0;  // all work given to the stream is done when this returns
};

// Memory of a device: 64-byte aligned, zeroed, touched once (so no page fault falls into a training step), one owner.
class Buffer {
 public:
  using Release = void (*)(void* data, std::size_t bytes);
  Buffer() = default;
  Buffer(void* data, std::size_t bytes, Release release) : data_(data), bytes_(bytes), release_(release) {}
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  template <class T>
  std::span<T> as() const {
    return {static_cast<T*>(data_), bytes_ / sizeof(T)};
  }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
  Release release_ = nullptr;
};

// A place in a stream's queue. Before its first record it holds nobody up.
class Event {
 public:
  virtual ~Event() = default;
  virtual void record(Stream& stream) = 0;     // after the work that `stream` has by now
  virtual void hold_back(Stream& stream) = 0;  // what `stream` is given from here on runs after the recorded work
  virtual void wait() = 0;                     // the host waits for it
};

// Work that streams were given once, to be run again for the price of one call.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void run(Stream& stream) = 0;  // queues all of it
};

class Planner;  // kernels/planner.hpp

class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceKind kind() const = 0;
  virtual std::string name() const = 0;      // for a log: library, version, threads
  virtual std::string identity() const = 0;  // of the hardware: no two ranks of a machine may share one
  virtual DeviceLimits limits() const { return {}; }
  virtual std::unique_ptr<Stream> make_stream() = 0;
  // One whose work goes before that of others, where a device can choose.
  virtual std::unique_ptr<Stream> make_urgent_stream() { return make_stream(); }
  virtual std::unique_ptr<Event> make_event() = 0;
  // Throws Error (failed) that says how much was asked for when there is no room.
  virtual Buffer allocate(std::size_t bytes) = 0;
  // Memory of the host that copies from and to at full speed while the host goes on (pinned); zeroed.
  virtual Buffer allocate_host(std::size_t bytes) = 0;
  // Whether memory of allocate() may be read and written by the host itself.
  bool memory_is_the_hosts() const { return kind() == DeviceKind::cpu; }
  // Between this device's memory and the host's, in either direction; in the order of the stream.
  virtual void copy(void* to, const void* from, std::size_t bytes, Stream& stream) = 0;

  // What `work` gives to `stream`, and to streams that an event of it holds back, is recorded and not run. When `work`
  // returns, `stream` must be held back until all of theirs. Meanwhile this thread must neither allocate memory nor
  // wait for the device. Throws Error where the device can't record.
  virtual std::unique_ptr<Recording> record(Stream& stream, const std::function<void()>& work) = 0;

  virtual Planner& planner() = 0;  // of the back-end's operations

  Counters& counters() { return counters_; }

 private:
  Counters counters_;
};

struct CpuWays {
  int threads = 1;  // exactly so many (1 per rank is the rule), whatever OMP_NUM_THREADS says
  // Convolutions by Winograd's algorithm where oneDNN has it and it pays. It adds up in an order that depends on the
  // sizes of the CPU's caches: without it, CPUs with one instruction set give the same bits.
  bool winograd = false;
};

// Plans are made and run on one thread at a time. Instructions: kernels/instruction_set.hpp.
std::unique_ptr<Device> make_cpu_device(const CpuWays& ways = {});

// How float32 operands are multiplied: as they are, or rounded to TensorFloat-32 (10 bits of mantissa) on the way into
// the tensor cores.
enum class MatmulPrecision { f32, tf32 };

// A program links lockstep_kernels_cuda for these two, or lockstep_kernels_without_cuda, where there are none.
struct CudaDevices {
  int count = 0;
  std::string why_none;  // for people; empty when there are some
};
CudaDevices find_cuda_devices();
// It becomes the calling thread's current device. Throws Error when there is none of that number.
std::unique_ptr<Device> make_cuda_device(int index, MatmulPrecision precision = MatmulPrecision::f32);

}  // namespace lockstep::kernels
