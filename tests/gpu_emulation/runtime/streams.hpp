// Streams and events of the stand-in. Nothing runs when it is queued: work runs when somebody waits, one piece at a
// time, in a random order among those that CUDA allows (the front of any stream whose awaited event has come). So what
// is ordered by luck alone on a GPU comes in the wrong order here, in some seed.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace lockstep::emulation {
enum class Attempt { done, moved, late };  // late: it can't go on before other ranks do

class Capture;  // runtime/capture.hpp
// Where a stream, or an event recorded on it, is in a capture: what is captured next comes after these nodes.
struct CapturePlace {
  std::shared_ptr<Capture> in;  // null: in none
  std::vector<std::size_t> after{};
};
}  // namespace lockstep::emulation

// NVIDIA's headers declare these two and nobody but the runtime defines them.
struct CUevent_st {
  std::uint64_t recorded = 0;                                                // the last ticket that was queued
  std::shared_ptr<std::uint64_t> done = std::make_shared<std::uint64_t>(0);  // and the last that has come
  lockstep::emulation::CapturePlace captured{};                              // of its last record, if that was captured
};
struct CUstream_st {
  struct Work {
    std::string name;
    std::function<void()> run;                   // empty: it only waits
    std::shared_ptr<const std::uint64_t> await;  // until this reaches
    std::uint64_t ticket = 0;
    std::function<lockstep::emulation::Attempt()> attempt{};  // in place of run, for work that comes in pieces
    const void* owner = nullptr;                              // for StreamBook::has_work_of
  };
  std::deque<Work> queue;
  bool destroyed = false;  // by its owner; it is here until its work is done
  lockstep::emulation::CapturePlace capture{};
};

namespace lockstep::emulation {

struct RuntimeCounts {
  std::int64_t launches = 0;
  std::int64_t synchronizations = 0;  // times that the host waited for a stream or the device
  std::int64_t event_waits = 0;       // and for an event that had not come
  std::int64_t copies = 0;
  std::int64_t graph_launches = 0;
};

// What one rank has: a thread of a test, or a process.
class StreamBook {
 public:
  CUstream_st* create();
  cudaError_t destroy(CUstream_st* stream);  // at once, as CUDA does: its work runs when its turn comes
  cudaError_t queue(CUstream_st* stream, CUstream_st::Work work);
  cudaError_t wait(const std::function<bool()>& done);  // runs work until done()
  cudaError_t wait_for_all();
  bool idle(const CUstream_st* stream) const;
  bool has_work_of(const void* owner) const;

  // Captures (runtime/capture.hpp).
  cudaError_t begin_capture(CUstream_st* stream);
  cudaError_t end_capture(CUstream_st* stream, std::shared_ptr<Capture>& captured);
  cudaError_t record(CUevent_st& event, CUstream_st* stream);
  cudaError_t await(CUstream_st* stream, const CUevent_st& event);
  // Whether this thread may do what a capture does not allow (allocate, wait). If not, the capture is of no use.
  cudaError_t outside_captures(const char* what);

  std::uint64_t random(std::uint64_t below);  // by settings().seed
  std::size_t count() const;

  cudaError_t error() const { return error_; }
  const std::string& error_text() const { return error_text_; }  // what a kernel did wrong
  void forget_error();

  RuntimeCounts counts;

 private:
  enum class Step { ran, needs_other_ranks, stuck };  // stuck: queues are empty, or wait for events that nobody records
  Step run_one();
  Attempt run_front(CUstream_st& stream);
  cudaError_t fail(cudaError_t error, const std::string& text);
  void forget_destroyed();
  bool known(const CUstream_st* stream) const;

  std::vector<std::unique_ptr<CUstream_st>> streams_;
  std::mt19937_64 random_{std::random_device::result_type{0}};
  std::uint64_t seeded_with_ = 0;
  cudaError_t error_ = cudaSuccess;
  std::string error_text_;
};
StreamBook& streams();  // of this thread

}  // namespace lockstep::emulation
