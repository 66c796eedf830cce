#include "runner/choose_device.hpp"

#include <fmt/ranges.h>
#include <unistd.h>

#include <functional>
#include <map>

#include "common/error.hpp"
#include "kernels/planner.hpp"
#include "runner/agreement.hpp"

namespace lockstep::runner {

namespace {
std::vector<int> ranks_where(const std::vector<std::int64_t>& values, const std::function<bool(std::int64_t)>& is) {
  std::vector<int> ranks;
  for (std::size_t rank = 0; rank < values.size(); ++rank) {
    if (is(values[rank])) ranks.push_back(static_cast<int>(rank));
  }
  return ranks;
}

std::string text_of(const std::vector<int>& ranks) {
  return fmt::format("rank{} {}", ranks.size() == 1 ? "" : "s", fmt::join(ranks, ", "));
}

std::unique_ptr<kernels::Device> my_gpu(const Options& options, const Collective& collective, int devices) {
  const auto precision = options.precision == "tf32" ? kernels::MatmulPrecision::tf32 : kernels::MatmulPrecision::f32;
  return kernels::make_cuda_device(collective.local_rank() % devices, precision);
}

// What only GPUs can do is refused, never left out.
void expect_no_gpu_options(const Options& options, const Collective& collective) {
  const std::string reason = options.precision != "f32"
                                 ? fmt::format("--precision {}: CPUs compute in f32", options.precision)
                             : options.gradient_precision != "f32"
                                 ? fmt::format("--gradient-precision {}: CPUs add f32 up", options.gradient_precision)
                             : options.cuda_graph == "on" ? "--cuda-graph on: CPUs record nothing"
                                                          : "";
  if (reason.empty()) return;
  throw AgreedError(ExitCode::bad_input, reason + "; give --device cuda where there is a GPU", collective.rank() == 0);
}

// And what only CPUs can do.
void expect_no_cpu_options(const Options& options, const Collective& collective) {
  const std::string reason = options.isa != "native"            ? "--isa " + options.isa
                             : options.convolutions != "direct" ? "--convolutions " + options.convolutions
                                                                : "";
  if (reason.empty()) return;
  throw AgreedError(ExitCode::bad_input, reason + ": GPUs compute here; leave it out, or give --device cpu",
                    collective.rank() == 0);
}

// why: it is no GPU; empty where none was looked for.
ChosenDevice the_cpu(const Options& options, Collective& collective, const std::string& why) {
  expect_no_gpu_options(options, collective);
  AgreedInstructionSet isa = agree_on_instruction_set(options, collective);
  auto device = kernels::make_cpu_device({.threads = 1, .winograd = options.convolutions == "winograd"});
  std::string line = fmt::format("computes on {}, {}", device->name(), isa.used);
  if (!isa.of_ranks.empty()) line += fmt::format(", the highest that all ranks may use ({})", isa.of_ranks);
  if (!why.empty()) line += fmt::format(" ({})", why);
  return {std::move(device), std::move(line), std::move(isa)};
}

// By what the devices say they are, not by their numbers: those depend on what each rank is shown.
void check_that_nobody_shares(Collective& collective, const kernels::Device& mine) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  const auto hash = static_cast<std::int64_t>(std::hash<std::string>{}(host + mine.identity()) >> 1U);
  const auto all = gather(collective, hash);
  std::map<std::int64_t, std::vector<int>> holders;
  for (std::size_t rank = 0; rank < all.size(); ++rank) holders[all[rank]].push_back(static_cast<int>(rank));
  std::vector<std::string> shared;
  for (const auto& [device, ranks] : holders) {
    if (ranks.size() > 1) shared.push_back(text_of(ranks));
  }
  if (shared.empty()) return;
  throw AgreedError(ExitCode::bad_input,
                    fmt::format("{} would share one GPU: start as many ranks on a machine as it has GPUs "
                                "(process_count_per_instance), or give --device cpu",
                                fmt::join(shared, "; ")),
                    collective.rank() == 0);
}
}  // namespace

ChosenDevice choose_device(const Options& options, Collective& collective) {
  if (options.device == "cpu") return the_cpu(options, collective, "");
  const kernels::CudaDevices found = kernels::find_cuda_devices();
  const auto counts = gather(collective, found.count);
  const auto without = ranks_where(counts, [](std::int64_t count) { return count == 0; });
  const bool none = without.size() == counts.size();
  if (none && options.device == "auto") return the_cpu(options, collective, found.why_none);
  if (!without.empty()) {
    throw AgreedError(
        ExitCode::bad_input,
        none ? fmt::format("--device cuda: {}", found.why_none)
             : fmt::format("{} found no CUDA device, the others did; give --device cpu, or mend it", text_of(without)),
        collective.rank() == 0);
  }
  expect_no_cpu_options(options, collective);
  auto device = agreed(collective, [&] {
    auto mine = my_gpu(options, collective, found.count);
    if (options.precision == "bf16" && !mine->planner().computes_in(kernels::DataType::bf16)) {
      throw bad_input("--precision bf16: {} has no bfloat16; f32 and tf32 are left", mine->name());
    }
    return mine;
  });
  check_that_nobody_shares(collective, *device);
  std::string line = "computes on " + device->name();
  return {std::move(device), std::move(line), {}};
}

// On one machine the ranks' cores do the adding up too, so there is nothing to hide it behind. A GPU has streams.
Overlap overlap_of(const Options& options, const Collective& collective, const kernels::Device& device) {
  if (options.overlap == "auto") {
    return collective.one_machine() && device.memory_is_the_hosts() ? Overlap::off : Overlap::on;
  }
  return options.overlap == "on" ? Overlap::on : Overlap::off;
}

}  // namespace lockstep::runner
