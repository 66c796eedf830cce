// The sum of gradients over ranks, as lockstep-train does it: each round every rank writes its gradients anew, they are
// summed, and the result is read once. Time is the slowest rank's, from before the sum until the result was read; the
// rate is bytes of one rank's gradients per second ("algorithm bandwidth"). Sums are checked before anything is timed.
// how: 0 ours, bucket after bucket; 1 ours, all in flight at once; 2 MPI_Allreduce, bucket after bucket, whose order of
// adding is the library's.
//
//   bench_allreduce                       starts itself on 2 ranks of this machine
//   mpirun -np N bench_allreduce
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <numeric>
#include <string>

#include "common/clock.hpp"
#include "kernels/device.hpp"
#include "runner/collective/collective.hpp"
#include "runner/collective/gradient_sum.hpp"

namespace {
using lockstep::runner::Collective;

Collective* ranks = nullptr;

void write(std::span<float> values) { std::iota(values.begin(), values.end(), 1.0F); }
void read(std::span<const float> values) {
  benchmark::DoNotOptimize(std::accumulate(values.begin(), values.end(), 0.0F));
}

enum class How : std::int64_t { in_turn, in_flight, by_mpi };
constexpr How all_of_them[] = {How::in_turn, How::in_flight, How::by_mpi};

void sum_by_mpi(std::span<float> values) {
  MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

// In pieces of `bucket` floats.
void sum_in_buckets(std::span<float> values, std::size_t bucket, How how) {
  for (; !values.empty(); values = values.subspan(std::min(bucket, values.size()))) {
    const auto piece = values.first(std::min(bucket, values.size()));
    if (how == How::in_turn) ranks->sum(piece);
    if (how == How::in_flight) ranks->start_sum(piece);
    if (how == How::by_mpi) sum_by_mpi(piece);
  }
  if (how == How::in_flight) ranks->wait_sums();
}

double slowest(double seconds) {
  std::int64_t nanoseconds = static_cast<std::int64_t>(seconds * 1e9);
  ranks->max({&nanoseconds, 1});
  return static_cast<double>(nanoseconds) * 1e-9;
}

void all_reduce(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const auto bucket = static_cast<std::size_t>(state.range(1)) / sizeof(float);
  const How how{state.range(2)};
  const auto memory = lockstep::kernels::make_cpu_device()->allocate(bytes);
  const std::span<float> values = memory.as<float>();
  for (auto _ : state) {
    write(values);
    ranks->barrier();
    const double before = lockstep::monotonic_s();
    sum_in_buckets(values, bucket, how);
    read(values);
    state.SetIterationTime(slowest(lockstep::monotonic_s() - before));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// Every rank must make the same calls, so the number of rounds is fixed by the size.
void define() {
  constexpr std::int64_t mib = 1 << 20;
  for (const std::int64_t bytes : {mib / 256, mib / 16, mib / 4, mib, 2 * mib, 4 * mib, 16 * mib, 64 * mib}) {
    for (const std::int64_t bucket : {mib / 2, mib, 2 * mib, 4 * mib, 64 * mib}) {
      if (bucket > bytes && bucket != 64 * mib) continue;
      for (const How how : all_of_them) {
        benchmark::RegisterBenchmark("all_reduce", all_reduce)
            ->Args({bytes, bucket, static_cast<std::int64_t>(how)})
            ->ArgNames({"bytes", "bucket", "how"})
            ->Iterations(std::max<std::int64_t>(5, std::min<std::int64_t>(200, 128 * mib / bytes)))
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
}

bool sums_are_right() {
  std::vector<float> values(1'000'007);
  for (const How how : all_of_them) {
    std::ranges::fill(values, static_cast<float>(ranks->rank() + 1));
    sum_in_buckets(values, lockstep::runner::bucket_floats, how);
    const auto want = 0.5F * static_cast<float>(ranks->size() * (ranks->size() + 1));
    for (const float value : values) {
      if (!(value == want)) return false;
    }
  }
  return true;
}

struct Silence : benchmark::BenchmarkReporter {
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};
}  // namespace

int main(int argc, char** argv) {
  if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr && std::getenv("PMIX_RANK") == nullptr) {
    std::vector<std::string> words = {
        "mpirun", "--allow-run-as-root", "--bind-to", "none", "--mca", "pml", "ob1", "--mca",
        "btl",    "self,vader",          "-np",       "2"};
    words.insert(words.end(), argv, argv + argc);
    std::vector<char*> all;
    all.reserve(words.size() + 1);
    for (auto& word : words) all.push_back(word.data());
    all.push_back(nullptr);
    ::execvp("mpirun", all.data());
    fmt::print(stderr, "mpirun: command not found\n");
    return 1;
  }
  const auto collective = lockstep::runner::make_mpi_collective();
  ranks = collective.get();
  if (!sums_are_right()) {
    fmt::print(stderr, "rank {}: wrong sums; nothing was timed\n", ranks->rank());
    ranks->abort(1);
  }
  define();
  benchmark::Initialize(&argc, argv);
  Silence silence;
  if (ranks->rank() == 0) {
    fmt::print("{} ranks; sums checked\n", ranks->size());
    benchmark::RunSpecifiedBenchmarks();
  } else {
    benchmark::RunSpecifiedBenchmarks(&silence);
  }
  return 0;
}
