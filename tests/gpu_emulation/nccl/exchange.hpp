// One collective of one rank, moved on whenever the stream that it was queued on is drained.
#pragma once

#include "tests/gpu_emulation/nccl/world.hpp"

namespace lockstep::emulation {

class Exchange {
 public:
  Exchange(World& world, const Request& request, const void* send, void* receive)
      : world_(world), request_(request), send_(static_cast<const std::byte*>(send)), receive_(receive) {}

  // As far as it goes without waiting; true: this rank has its result. Throws KernelError, which names the ranks that
  // disagree, when the others came for something else: NCCL would hang, or give anything.
  bool advance();

 private:
  std::size_t input_count() const;  // elements that each rank gives
  void check_same() const;
  void take(std::size_t begin, std::size_t count);

  World& world_;
  Request request_;
  const std::byte* send_;
  void* receive_;
  std::size_t done_ = 0;  // elements of the input
  std::size_t posted_ = 0;
  bool waiting_ = false;
};

std::size_t bytes_of(ncclDataType_t type);  // 0: not emulated

}  // namespace lockstep::emulation
