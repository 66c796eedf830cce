// The stand-in for NCCL: that it adds up as NCCL's guide says, and finds what a program may do wrong with it.
#include <cuda_bf16.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/gpu_emulation/collectives/exact_sums.hpp"
#include "tests/gpu_emulation/collectives/thread_ranks.hpp"
#include "tests/gpu_emulation/nccl/emulated_nccl.hpp"
#include "tests/gpu_emulation/runtime/streams.hpp"

namespace lockstep {
namespace {

using emulation::settings;
using kernels::cuda::of;
using ::testing::Each;
using ::testing::HasSubstr;
using testing::no_errors;
using testing::on_thread_ranks;

// What each test's rank has.
struct Rank {
  runner::Collective& ranks;
  kernels::Device& device;
  ncclComm_t comm = nullptr;
  std::unique_ptr<kernels::Stream> compute = device.make_stream();
  std::unique_ptr<kernels::Stream> other = device.make_stream();
  cudaEvent_t event = nullptr;

  Rank(runner::Collective& all, kernels::Device& own, bool blocking = true) : ranks(all), device(own) {
    ncclUniqueId id{};
    if (ranks.rank() == 0) ncclGetUniqueId(&id);
    ranks.broadcast(std::as_writable_bytes(std::span(id.internal)), 0);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = blocking ? 1 : 0;
    const ncclResult_t result = ncclCommInitRankConfig(&comm, ranks.size(), id, ranks.rank(), &config);
    if (result != ncclSuccess && result != ncclInProgress) ncclCommAbort(comm);
    check(result);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  }
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;
  ~Rank() {
    if (comm != nullptr) ncclCommAbort(comm);
    emulation::streams().forget_error();
    cudaEventDestroy(event);
  }
  static void check(ncclResult_t result) {
    if (result != ncclSuccess && result != ncclInProgress) throw std::runtime_error(ncclGetLastError(nullptr));
  }
  template <class T>
  kernels::Buffer on_device(const std::vector<T>& values) {
    kernels::Buffer buffer = device.allocate(values.size() * sizeof(T));
    device.copy(buffer.data(), values.data(), buffer.bytes(), *compute);
    compute->synchronize();
    return buffer;
  }
  template <class T>
  std::vector<T> on_host(const kernels::Buffer& buffer) {
    std::vector<T> values(buffer.bytes() / sizeof(T));
    device.copy(values.data(), buffer.data(), buffer.bytes(), *compute);
    compute->synchronize();
    return values;
  }
};

template <class Act>
std::vector<std::string> ranks_that(int ranks, Act act, bool blocking = true) {
  return on_thread_ranks(ranks, [&](runner::Collective& all, kernels::Device& device) {
    Rank rank(all, device, blocking);
    act(rank);
  });
}

void expect(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

// --- what the guide says ---

template <class T>
T value(std::size_t i, int rank) {
  return static_cast<T>(static_cast<float>((i + 3 * static_cast<std::size_t>(rank)) % 32));  // exact in bf16, as sums
}
template <class T>
std::vector<T> values_of(std::size_t count, int rank) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = value<T>(i, rank);
  return values;
}
template <class T>
T sum_at(std::size_t i, int ranks) {
  float sum = 0;
  for (int rank = 0; rank < ranks; ++rank) sum += static_cast<float>(value<T>(i, rank));
  return static_cast<T>(sum);
}

template <class T>
void check_all_reduce(Rank& rank, ncclDataType_t type, std::size_t count) {
  const auto sums = rank.on_device(values_of<T>(count, rank.ranks.rank()));
  const auto largest = rank.on_device(values_of<T>(count, rank.ranks.rank()));
  Rank::check(ncclAllReduce(sums.data(), sums.data(), count, type, ncclSum, rank.comm, of(*rank.compute)));
  Rank::check(ncclAllReduce(largest.data(), largest.data(), count, type, ncclMax, rank.comm, of(*rank.compute)));
  const auto got = rank.on_host<T>(sums);
  const auto most = rank.on_host<T>(largest);
  for (std::size_t i = 0; i < count; ++i) {
    float want = 0;
    for (int other = 0; other < rank.ranks.size(); ++other) {
      want = std::max(want, static_cast<float>(value<T>(i, other)));
    }
    expect(static_cast<float>(got[i]) == static_cast<float>(sum_at<T>(i, rank.ranks.size())), "sum");
    expect(static_cast<float>(most[i]) == want, "maximum");
  }
}

TEST(EmulatedNccl, AllReducesEveryTypeAtEverySize) {
  const auto errors = ranks_that(3, [](Rank& rank) {
    for (const std::size_t count : {1, 1000, 70'001}) {  // the last: in several chunks
      check_all_reduce<float>(rank, ncclFloat32, count);
      check_all_reduce<double>(rank, ncclFloat64, count);
      check_all_reduce<__nv_bfloat16>(rank, ncclBfloat16, count);
      check_all_reduce<std::int32_t>(rank, ncclInt32, count);
      check_all_reduce<std::int64_t>(rank, ncclInt64, count);
      check_all_reduce<std::uint8_t>(rank, ncclUint8, count);
    }
  });
  EXPECT_EQ(errors, no_errors(3));
}

TEST(EmulatedNccl, ReducesToTheRootAlone) {
  const auto errors = ranks_that(3, [](Rank& rank) {
    const auto values = rank.on_device(values_of<float>(100, rank.ranks.rank()));
    Rank::check(ncclReduce(values.data(), values.data(), 100, ncclFloat32, ncclSum, 2, rank.comm, of(*rank.compute)));
    const auto got = rank.on_host<float>(values);
    const bool root = rank.ranks.rank() == 2;
    expect(got[99] == (root ? sum_at<float>(99, 3) : value<float>(99, rank.ranks.rank())), "reduce");
  });
  EXPECT_EQ(errors, no_errors(3));
}

TEST(EmulatedNccl, BroadcastsFromTheRoot) {
  const auto errors = ranks_that(3, [](Rank& rank) {
    const auto values = rank.on_device(values_of<float>(20'000, rank.ranks.rank()));
    Rank::check(ncclBroadcast(values.data(), values.data(), 20'000, ncclFloat32, 1, rank.comm, of(*rank.compute)));
    expect(rank.on_host<float>(values) == values_of<float>(20'000, 1), "broadcast");
  });
  EXPECT_EQ(errors, no_errors(3));
}

TEST(EmulatedNccl, ReduceScattersAndGathersInPlaceAndElsewhere) {
  const auto errors = ranks_that(3, [](Rank& rank) {
    constexpr std::size_t part = 10'001;
    const std::size_t begin = part * static_cast<std::size_t>(rank.ranks.rank());
    const auto all = rank.on_device(values_of<float>(3 * part, rank.ranks.rank()));
    const auto mine = rank.on_device(std::vector<float>(part));
    float* in_place = all.as<float>().data() + begin;
    for (float* to : {mine.as<float>().data(), in_place}) {  // the second overwrites what the first needs
      Rank::check(ncclReduceScatter(all.data(), to, part, ncclFloat32, ncclSum, rank.comm, of(*rank.compute)));
    }
    const auto sums = rank.on_host<float>(mine);
    for (std::size_t i = 0; i < part; ++i) expect(sums[i] == sum_at<float>(begin + i, 3), "reduce-scatter");
    Rank::check(ncclAllGather(in_place, all.data(), part, ncclFloat32, rank.comm, of(*rank.compute)));
    const auto gathered = rank.on_device(std::vector<float>(3 * part));
    Rank::check(ncclAllGather(mine.data(), gathered.data(), part, ncclFloat32, rank.comm, of(*rank.compute)));
    const auto got = rank.on_host<float>(all);
    for (std::size_t i = 0; i < got.size(); ++i) expect(got[i] == sum_at<float>(i, 3), "all-gather");
    expect(got == rank.on_host<float>(gathered), "all-gather elsewhere");
  });
  EXPECT_EQ(errors, no_errors(3));
}

TEST(EmulatedNccl, StartsNothingBeforeAGroupEnds) {
  const auto errors = ranks_that(2, [](Rank& rank) {
    const auto a = rank.on_device(values_of<float>(10, rank.ranks.rank()));
    const auto b = rank.on_device(values_of<float>(10, rank.ranks.rank()));
    ncclGroupStart();
    Rank::check(ncclAllReduce(a.data(), a.data(), 10, ncclFloat32, ncclSum, rank.comm, of(*rank.compute)));
    Rank::check(ncclAllReduce(b.data(), b.data(), 10, ncclFloat32, ncclSum, rank.comm, of(*rank.compute)));
    expect(rank.on_host<float>(a)[9] == value<float>(9, rank.ranks.rank()), "too early");
    Rank::check(ncclGroupEnd());
    expect(rank.on_host<float>(a)[9] == sum_at<float>(9, 2), "first of the group");
    expect(rank.on_host<float>(b)[9] == sum_at<float>(9, 2), "second of the group");
  });
  EXPECT_EQ(errors, no_errors(2));
}

// --- what a program may do wrong ---

// Rank 1 calls for something else than rank 0; gives what the wait says.
template <class Call>
std::vector<std::string> disagreeing(Call call) {
  return ranks_that(2, [&](Rank& rank) {
    const auto values = rank.on_device(std::vector<float>(100));
    Rank::check(call(rank, values.as<float>().data(), rank.ranks.rank() == 1));
    rank.compute->synchronize();
  });
}

TEST(EmulatedNccl, NamesRanksThatDisagree) {
  EXPECT_THAT(
      disagreeing([](Rank& rank, float* data, bool wrong) {
        return ncclAllReduce(data, data, wrong ? 99 : 100, ncclFloat32, ncclSum, rank.comm, of(*rank.compute));
      }),
      Each(HasSubstr("rank 1 came for all-reduce 1 of 99 float32 (sum, root 0), rank 0 for all-reduce 1 of 100")));
  EXPECT_THAT(disagreeing([](Rank& rank, float* data, bool wrong) {
                return ncclAllReduce(data, data, 50, wrong ? ncclInt32 : ncclFloat32, ncclSum, rank.comm,
                                     of(*rank.compute));
              }),
              Each(HasSubstr("rank 1 came for all-reduce 1 of 50 int32")));
  EXPECT_THAT(disagreeing([](Rank& rank, float* data, bool wrong) {
                return ncclAllReduce(data, data, 50, ncclFloat32, wrong ? ncclMax : ncclSum, rank.comm,
                                     of(*rank.compute));
              }),
              Each(HasSubstr("rank 1 came for all-reduce 1 of 50 float32 (max, root 0)")));
}

TEST(EmulatedNccl, NamesRanksThatCallInDifferentOrders) {
  const auto errors = disagreeing([](Rank& rank, float* data, bool wrong) {
    const auto reduce = [&] {
      return ncclAllReduce(data, data, 50, ncclFloat32, ncclSum, rank.comm, of(*rank.compute));
    };
    const auto gather = [&] { return ncclAllGather(data, data, 50, ncclFloat32, rank.comm, of(*rank.compute)); };
    Rank::check(wrong ? gather() : reduce());
    return wrong ? reduce() : gather();
  });
  EXPECT_THAT(errors,
              Each(HasSubstr("rank 1 came for all-gather 1 of 50 float32 (sum, root 0), rank 0 for all-reduce")));
}

TEST(EmulatedNccl, RefusesMemoryThatIsNotThere) {
  const auto errors = ranks_that(1, [](Rank& rank) {
    const auto values = rank.on_device(std::vector<float>(10));
    std::vector<float> host(10);
    expect(ncclAllReduce(values.data(), values.data(), 11, ncclFloat32, ncclSum, rank.comm, of(*rank.compute)) ==
               ncclInvalidArgument,
           "past the end");
    expect(ncclAllReduce(host.data(), host.data(), 10, ncclFloat32, ncclSum, rank.comm, of(*rank.compute)) ==
               ncclInvalidArgument,
           "host memory");
  });
  EXPECT_EQ(errors, no_errors(1));
}

TEST(EmulatedNccl, RefusesTwoRanksOnOneDevice) {
  const auto errors = ranks_that(2, [](Rank& rank) { rank.ranks.barrier(); });
  EXPECT_EQ(errors, no_errors(2));
  const auto refused = on_thread_ranks(2, [](runner::Collective& ranks, kernels::Device& device) {
    cudaSetDevice(0);
    Rank rank(ranks, device);
  });
  EXPECT_THAT(refused, Each(HasSubstr("Duplicate GPU detected : rank 0 and rank 1 both on CUDA device 0")));
}

// A step as a trainer makes it, with one of its two waits left out; true when the sum is right all the same.
enum class Missing { nothing, wait_for_the_gradient, join };
bool step_is_right(Missing missing) {
  const auto errors = ranks_that(2, [&](Rank& rank) {
    const auto gradients = rank.on_device(std::vector<float>(1000));
    const auto parameters = rank.on_device(std::vector<float>(1000));
    auto* data = gradients.as<float>().data();
    const auto order = [&](kernels::Stream& earlier, kernels::Stream& later) {
      cudaEventRecord(rank.event, of(earlier));
      cudaStreamWaitEvent(of(later), rank.event, 0);
    };
    testing::launch_over(1000, *rank.compute, testing::write_gradients, data, 0U, 1000U, rank.ranks.rank(), 0,
                         testing::large);
    if (missing != Missing::wait_for_the_gradient) order(*rank.compute, *rank.other);
    Rank::check(ncclAllReduce(data, data, 1000, ncclFloat32, ncclSum, rank.comm, of(*rank.other)));
    if (missing != Missing::join) order(*rank.other, *rank.compute);
    testing::launch_over(1000, *rank.compute, testing::add_to, parameters.as<float>().data(), data, 1.0F, 1000U);
    rank.compute->synchronize();
    rank.other->synchronize();
    testing::expect_exactly(rank.on_host<float>(parameters),
                            [](unsigned i) { return testing::sum_of_gradients(i, 2, 0); });
  });
  return errors == no_errors(2);
}
int times_wrong(Missing missing) {
  int wrong = 0;
  for (settings().seed = 1; settings().seed <= 6; ++settings().seed) wrong += step_is_right(missing) ? 0 : 1;
  return wrong;
}

TEST(EmulatedNccl, ShowsAMissingWaitInSomeOfAFewSeeds) {
  EXPECT_EQ(times_wrong(Missing::nothing), 0);
  EXPECT_GT(times_wrong(Missing::wait_for_the_gradient), 0);
  EXPECT_GT(times_wrong(Missing::join), 0);
}

// --- non-blocking ---

TEST(EmulatedNccl, StartsNothingBeforeItsOwnerAsks) {
  const auto errors = ranks_that(
      2,
      [](Rank& rank) {
        const auto ask = [&] {
          ncclResult_t result = ncclInProgress;
          while (result == ncclInProgress) ncclCommGetAsyncError(rank.comm, &result);
          Rank::check(result);
        };
        ask();
        const auto values = rank.on_device(values_of<float>(10, rank.ranks.rank()));
        const auto reduce = [&] {
          return ncclAllReduce(values.data(), values.data(), 10, ncclFloat32, ncclSum, rank.comm, of(*rank.compute));
        };
        expect(reduce() == ncclInProgress, "in progress");
        expect(rank.on_host<float>(values)[9] == value<float>(9, rank.ranks.rank()), "it was not started yet");
        ask();
        expect(rank.on_host<float>(values)[9] == sum_at<float>(9, 2), "now it was");
        expect(reduce() == ncclInProgress, "in progress again");
        expect(reduce() == ncclInvalidUsage, "a call too early");
      },
      false);
  EXPECT_EQ(errors, no_errors(2));
}

TEST(EmulatedNccl, WaitsForARankThatNeverComesUntilItIsAborted) {
  const auto errors = ranks_that(2, [](Rank& rank) {
    if (rank.ranks.rank() == 1) return rank.ranks.barrier();
    const auto values = rank.on_device(std::vector<float>(10));
    Rank::check(ncclAllReduce(values.data(), values.data(), 10, ncclFloat32, ncclSum, rank.comm, of(*rank.compute)));
    std::thread watchdog([comm = std::exchange(rank.comm, nullptr)] { ncclCommAbort(comm); });
    rank.compute->synchronize();
    watchdog.join();
    rank.ranks.barrier();
  });
  EXPECT_EQ(errors, no_errors(2));
  EXPECT_EQ(emulation::live_communicators(), 0);
}

}  // namespace
}  // namespace lockstep
