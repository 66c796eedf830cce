// An emulated communicator of one rank. A non-blocking one is as slow as NCCL may be: each collective stays "in
// progress", and off its stream, until its owner asks how far it is; another call before that is refused.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "tests/gpu_emulation/nccl/exchange.hpp"

namespace lockstep::emulation {

class Communicator : public std::enable_shared_from_this<Communicator> {
 public:
  Communicator(const std::string& name, int ranks, int rank, bool blocking);

  // Checks the call, and puts it on its stream now or later (above).
  ncclResult_t collective(Request request, const void* send, void* receive, cudaStream_t stream);
  void begin_group() { in_group_ = true; }
  ncclResult_t end_group();
  ncclResult_t finalize();
  void abort() { aborted_ = true; }  // from any thread: whoever waits in a collective goes on, without its result

  ncclResult_t state();  // moves on what is in progress when the owner asks

 private:
  ncclResult_t fail(ncclResult_t error, const std::string& text);
  ncclResult_t check(const Request& request, const void* send, const void* receive);
  ncclResult_t go_on();  // once, for whatever is in progress
  ncclResult_t start_or_wait();

  World world_;
  bool blocking_;
  std::thread::id owner_ = std::this_thread::get_id();  // streams belong to a thread here
  std::atomic<ncclResult_t> state_ = ncclInProgress;
  std::atomic<bool> aborted_ = false;
  bool joined_ = false;
  bool in_group_ = false;
  bool finalizing_ = false;
  std::int64_t started_ = 0;
  std::vector<std::function<cudaError_t()>> to_queue_;
};

std::string& last_nccl_error();  // of this thread

}  // namespace lockstep::emulation
