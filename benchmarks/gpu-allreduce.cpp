// NCCL's sum of gradients as lockstep-train queues it, by size. "bus" is what nccl-tests calls bus bandwidth: bytes a
// second times 2 (n - 1) / n, which is what a ring moves over each link, so it compares across numbers of ranks. Sums
// are checked before anything is timed.
//
//   mpirun -np N bench_gpu-allreduce [--tiny]    one rank for each GPU
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "common/clock.hpp"
#include "runner/choose_device.hpp"
#include "runner/collective/nccl/nccl_sums.hpp"
#include "runner/host_copy.hpp"

namespace {

using namespace lockstep;          // NOLINT(google-build-using-namespace)
using namespace lockstep::runner;  // NOLINT(google-build-using-namespace)

// The slowest rank's, from idle to idle.
double seconds_of(Collective& ranks, DeviceSums& sums, kernels::Stream& stream, std::span<float> values, int runs) {
  stream.synchronize();
  ranks.barrier();
  const double before = monotonic_s();
  for (int i = 0; i < runs; ++i) {
    sums.start(values, stream);
    sums.join(stream);
  }
  stream.synchronize();
  auto nanoseconds = static_cast<std::int64_t>((monotonic_s() - before) * 1e9);
  ranks.max({&nanoseconds, 1});
  return static_cast<double>(nanoseconds) * 1e-9 / runs;
}

bool sums_are_right(Collective& ranks, DeviceSums& sums, kernels::Device& device, kernels::Stream& stream) {
  const kernels::Buffer memory = device.allocate(1'000'007 * sizeof(float));
  HostCopy values(device, stream, memory.as<float>());
  std::ranges::fill(values.values(), static_cast<float>(ranks.rank() + 1));
  values.give_back();
  sums.start(memory.as<float>(), stream);
  sums.join(stream);
  const HostCopy got(device, stream, memory.as<float>());
  const auto want = 0.5F * static_cast<float>(ranks.size() * (ranks.size() + 1));
  return std::ranges::all_of(got.values(), [&](float value) { return value == want; });
}

int measure(Collective& ranks, bool tiny) {
  Options options;
  options.device = "cuda";
  const ChosenDevice chosen = choose_device(options, ranks);
  kernels::Device& device = *chosen.device;
  const auto stream = device.make_stream();
  const auto sums = make_gpu_sums(options, ranks, device);
  if (!sums_are_right(ranks, *sums, device, *stream)) {
    fmt::print(stderr, "rank {}: wrong sums; nothing was timed\n", ranks.rank());
    return 1;
  }
  if (ranks.rank() == 0) {
    fmt::print("{} ranks; sums checked; {}\n", ranks.size(), chosen.line);
    fmt::print("| MiB | us, median | us, best | GB/s | bus GB/s |\n|---|---|---|---|---|\n");
  }
  const kernels::Buffer memory = device.allocate(std::size_t{1} << (tiny ? 16U : 28U));
  for (std::size_t bytes = 1 << 12; bytes <= memory.bytes(); bytes *= 4) {
    const auto values = memory.as<float>().first(bytes / sizeof(float));
    const int runs = tiny ? 1 : static_cast<int>(std::clamp<std::size_t>((std::size_t{1} << 30U) / bytes, 5, 200));
    std::vector<double> rounds;
    for (int round = 0; round < 5; ++round) rounds.push_back(seconds_of(ranks, *sums, *stream, values, runs));
    std::ranges::sort(rounds);
    const double rate = static_cast<double>(bytes) / rounds[2] / 1e9;
    if (ranks.rank() == 0) {
      fmt::print("| {:.3f} | {:.1f} | {:.1f} | {:.2f} | {:.2f} |\n", static_cast<double>(bytes) / 0x1p20,
                 1e6 * rounds[2], 1e6 * rounds[0], rate, rate * 2 * (ranks.size() - 1) / ranks.size());
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto ranks = make_collective();
  const kernels::CudaDevices found = kernels::find_cuda_devices();
  if (found.count == 0 || ranks->size() == 1) {
    const std::string why = found.count == 0 ? found.why_none : "start it by mpirun, with a rank for each GPU";
    if (ranks->rank() == 0) fmt::print("skipped: {}\n", why);
    return 0;
  }
  return measure(*ranks, argc > 1 && std::strcmp(argv[1], "--tiny") == 0);
}
