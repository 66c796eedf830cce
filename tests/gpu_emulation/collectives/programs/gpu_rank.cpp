// A rank under mpirun with an emulated GPU. As its arguments say:
//   sums          checks that sums are exact, and leaves with 0
//   MISHAP RANK   all ranks train, and after a few steps something happens to one of them, which no test may hang on:
//                 stands_still, hangs_its_gpu, stops (SIGSTOP), throws, leaves; in a sum: is_killed, loses_nccl
// The limits of the watchdog are tiny: 0.5 s and 2 s. Prints its pid first.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "runner/agreement.hpp"
#include "runner/collective/nccl/nccl_sums.hpp"
#include "tests/gpu_emulation/collectives/exact_sums.hpp"
#include "tests/gpu_emulation/nccl/emulated_nccl.hpp"
#include "tests/gpu_emulation/runtime/streams.hpp"

namespace lockstep {
namespace {

void stand_still() {
  while (true) ::pause();
}

void befall_before_a_sum(const std::string& mishap, kernels::Stream& stream) {
  if (mishap == "stands_still") stand_still();
  if (mishap == "hangs_its_gpu") {
    emulation::streams().queue(kernels::cuda::of(stream),
                               {"never done", {}, nullptr, 0, [] { return emulation::Attempt::late; }});
  }
  if (mishap == "stops") ::raise(SIGSTOP);
  if (mishap == "throws") throw failure("an error of its own");
}
void befall_in_a_sum(const std::string& mishap) {
  if (mishap == "is_killed") ::raise(SIGKILL);
  if (mishap == "loses_nccl") {
    emulation::inject_nccl_error(ncclRemoteError);
    stand_still();
  }
}

void train(runner::Collective& ranks, kernels::Device& device, const std::string& mishap, int victim) {
  const auto sums = runner::make_nccl_sums(ranks, device, {0.5, 2.0});
  const auto stream = device.make_stream();
  const kernels::Buffer gradients = device.allocate(1000 * sizeof(float));
  for (int step = 1;; ++step) {
    const bool now = ranks.rank() == victim && step == 4;
    if (now && mishap == "leaves") return;
    if (now) befall_before_a_sum(mishap, *stream);
    sums->start(gradients.as<float>(), *stream);
    if (now) befall_in_a_sum(mishap);
    sums->join(*stream);
    stream->synchronize();
  }
}

int run(const std::vector<std::string>& arguments) {
  fmt::print("pid {}\n", ::getpid());
  std::fflush(stdout);
  const auto ranks = runner::make_collective();
  const auto device = kernels::make_cuda_device(ranks->rank());
  try {
    if (arguments.at(0) == "sums") {
      const auto sums = runner::make_nccl_sums(*ranks, *device, {});
      testing::check_buckets(*ranks, *device, *sums);
      testing::check_parts(*ranks, *device, *sums);
      const auto rounded = runner::make_nccl_sums(*ranks, *device, {.gradients = kernels::DataType::bf16});
      testing::check_buckets(*ranks, *device, *rounded, 3, testing::small);
      testing::check_parts(*ranks, *device, *rounded, testing::small);
      if (ranks->rank() == 0) fmt::print("{} ranks checked\n", ranks->size());
    } else {
      train(*ranks, *device, arguments.at(0), std::stoi(arguments.at(1)));
      stand_still();
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", runner::rank_and_host(*ranks), error.what());
    ranks->abort(1);
    return 1;
  }
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) { return lockstep::run({argv + 1, argv + argc}); }
