// What streams were given while they were captured, as a graph of work: a CUDA graph. It runs in a random order among
// those that its edges allow.
#pragma once

#include "tests/gpu_emulation/runtime/streams.hpp"

namespace lockstep::emulation {

class Capture {
 public:
  explicit Capture(const CUstream_st* origin) : origin_(origin) {}

  // Gives the node's number.
  std::size_t add(CUstream_st::Work work, std::vector<std::size_t> after);
  const CUstream_st* origin() const { return origin_; }
  bool all_lead_to(const std::vector<std::size_t>& ends) const;  // no node is left that nobody waits for

  std::string invalid;  // why it is of no use

  // One run: pieces of it, until it is done. Each run has the nodes' work as it was captured.
  std::function<Attempt()> run() const;

 private:
  struct Node {
    CUstream_st::Work work;
    std::vector<std::size_t> after;
  };
  class Run;

  const CUstream_st* origin_;
  std::vector<Node> nodes_;
};

}  // namespace lockstep::emulation
