// What the CUDA back-end moves in one step of training a default model, float32 and SGD with momentum, and what fully
// fused kernels would.
#pragma once

#include <map>
#include <string>

#include "tests/ptx/interpreter/counts.hpp"

namespace lockstep::ptx {

// The products (rows, inner) (inner, columns) of a model's layers: forward, for the weights and, but for the first
// layer, for the data.
struct Products {
  int count = 0;
  double flops = 0;
  double bytes = 0;  // operands and result, each once
  Products& operator+=(const Products& other) {
    count += other.count;
    flops += other.flops;
    bytes += other.bytes;
    return *this;
  }
};

struct Step {
  std::size_t parameters = 0;
  std::int64_t launches = 0;
  Counts counts;  // of our own kernels
  std::map<std::string, Counts> of_kernels;
  Products dense;                 // cuBLASLt's
  Products convolutions;          // as products that make patches from images within themselves; ours are none
  Products pooled;                // the same, if they wrote and read pooled results alone, as ours do
  double other_fewest_bytes = 0;  // of all that is no product, if it were done where a product reads or writes anyway

  double own_bytes() const { return static_cast<double>(counts.sectors * sector_bytes); }
  double bytes() const { return own_bytes() + dense.bytes; }
  double fused_bytes() const { return other_fewest_bytes + convolutions.bytes + dense.bytes; }
  double fused_and_pooled_bytes() const { return other_fewest_bytes + pooled.bytes + dense.bytes; }
};

Step run_step(const std::string& model, std::int64_t batch);

}  // namespace lockstep::ptx
