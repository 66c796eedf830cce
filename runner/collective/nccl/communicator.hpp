// NCCL's communicator of all ranks. It is a non-blocking one: NCCL answers at once, and is asked how far it is, so that
// a rank that never comes can't hold this one up for longer than the time limit.
#pragma once

#include <nccl.h>

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "runner/collective/collective.hpp"

namespace lockstep::runner {

class Communicator {
 public:
  // Collective. Takes the calling thread's current CUDA device. Throws failure.
  Communicator(Collective& ranks, double time_limit_s);
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  ~Communicator();  // gives up whatever is under way, unless close() came first

  // `call` is one of NCCL's collectives; afterwards it is on its stream. Throws failure.
  void queue(const char* what, const std::function<ncclResult_t(ncclComm_t)>& call);
  // Collective: ends it when all that was queued is done. Throws failure.
  void close();

  // What went wrong while nobody was looking (a rank that died, the network). From any thread; never waits.
  std::optional<std::string> error();

 private:
  void settle(ncclResult_t result, const std::string& what);  // waits while NCCL is busy

  double time_limit_s_;
  std::mutex mutex_;  // ncclCommGetAsyncError finishes NCCL's own work, so two threads must not ask at once
  ncclComm_t comm_ = nullptr;
};

}  // namespace lockstep::runner
