// Prints as JSON, a model a line, what the CUDA back-end moves and computes in one step of training the default models
// (of each kernel: bytes, and instructions on float32): what the second table of docs/gpu-kernels.md is made from.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/ptx/traffic/step.hpp"

int main() {
  using namespace lockstep::ptx;
  constexpr int batch = 128;
  for (const std::string model : {"mlp", "cnn"}) {
    const Step step = run_step(model, batch);
    std::vector<std::string> kernels;
    for (const auto& [kernel, counts] : step.of_kernels) {
      kernels.push_back(
          fmt::format("\"{}\": [{}, {}]", kernel, counts.sectors * sector_bytes, counts.of(Mix::float32)));
    }
    fmt::print(
        R"({{"model": "{}", "batch": {}, "parameters": {}, "launches": {}, "bytes": {}, "fewest_bytes": {}, )"
        R"("products": {}, "product_bytes": {}, "product_flops": {}, )"
        R"("fused_bytes": {}, "fused_product_bytes": {}, "fused_product_flops": {}, "pooled_bytes": {}, "kernels": {{{}}}}})"
        "\n",
        model, batch, step.parameters, step.launches, step.own_bytes(),
        step.counts.bytes_read + step.counts.bytes_written, step.dense.count, step.dense.bytes, step.dense.flops,
        step.fused_bytes(), step.dense.bytes + step.convolutions.bytes, step.dense.flops + step.convolutions.flops,
        step.fused_and_pooled_bytes(), fmt::join(kernels, ", "));
  }
}
