// Prints the counts of every case as JSON, a case a line: what docs/gpu-kernels.md is made from
// (benchmarks/gpu-static.py).
#include <fmt/format.h>

#include "tests/ptx/traffic/cases.hpp"

int main() {
  using namespace lockstep::ptx;
  for (const TrafficCase& each : traffic_cases()) {
    const auto& [kernel, grid, counts] = measure(each);
    const unsigned threads = grid.threads.x * grid.threads.y * grid.threads.z;
    fmt::print(R"({{"kernel": "{}", "shape": "{}", "threads": {}, "dynamic_shared": {}, "sectors_of_stated": {}, )"
               R"("sectors_of_fewest": {}, "passes": {}, "fewest_passes": {}, "instructions": {}}})"
               "\n",
               kernel, each.shape, threads, grid.shared_bytes,
               static_cast<double>(counts.sectors * sector_bytes) / each.stated_bytes,
               static_cast<double>(counts.sectors) / counts.fewest_sectors(), counts.shared_passes,
               counts.fewest_passes, static_cast<double>(counts.instructions) / each.elements);
  }
}
