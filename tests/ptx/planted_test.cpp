// The interpreter against bugs that were planted and compiled by nvcc (planted.cu): each is found, in the one order
// that there is, with thread and place; the right kernels pass.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gpu_emulation/planted.hpp"
#include "tests/ptx/interpreter/interpreter.hpp"

namespace lockstep::ptx {
namespace {

using emulation::Bug;
using emulation::DeviceArray;
using emulation::Grid;
using emulation::one_to;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Planted : public ::testing::Test {
 protected:
  Planted() {
    interpreter.add_files(LOCKSTEP_PTX_FILES);
    interpreter.on_launch = [this](const LaunchRecord& record) { counts = record.counts; };
  }
  template <class... Arguments>
  void run(const char* kernel, Bug bug, const Grid& grid, const Arguments&... arguments) {
    const auto name = fmt::format("{}<(lockstep::emulation::Bug){}>", kernel, static_cast<int>(bug));
    interpreter.run(name, grid, {emulation::bytes_of(arguments)...});
  }

  void double_all(Bug bug, int count = 100) {
    DeviceArray<float> y(std::vector<float>(static_cast<std::size_t>(count)));
    DeviceArray<float> x(one_to(count));
    run("double_all", bug, {4, 32, 0}, x.data(), y.data(), count);
    EXPECT_EQ(y.values().back(), 2 * static_cast<float>(count));
  }
  // The sum of 1 to 379, in three blocks of 128 threads.
  float sum_blocks(Bug bug) {
    DeviceArray<float> x(one_to(379));
    DeviceArray<float> y(std::vector<float>(3));
    run("sum_blocks", bug, {3, 128, 0}, x.data(), y.data(), 379);
    return y.values()[0] + y.values()[1] + y.values()[2];
  }
  void transpose(Bug bug) {
    DeviceArray<float> x(one_to(32 * 32));
    DeviceArray<float> y(std::vector<float>(32 * 32));
    run("transpose", bug, {4, dim3(8, 8), 0}, x.data(), y.data(), 32);
    EXPECT_EQ(y.values()[33 * 3], x.values()[33 * 3]);
    EXPECT_EQ(y.values()[32 * 5 + 1], x.values()[32 * 1 + 5]);
  }
  void count_values(Bug bug) {
    DeviceArray<int> x(std::vector<int>(1000, 3));
    DeviceArray<unsigned> y(std::vector<unsigned>(7, 0));
    run("count_values", bug, {8, 128, 0}, x.data(), y.data(), 1000);
    EXPECT_EQ(y.values()[3], 1000);
  }
  void reverse_warps(Bug bug) {
    DeviceArray<float> x(one_to(128));
    DeviceArray<float> y(std::vector<float>(128));
    run("reverse_warps", bug, {1, 128, 0}, x.data(), y.data());
    EXPECT_EQ(y.values()[32], 64);
  }
  void add_one(Bug bug) {
    DeviceArray<float> x(std::vector<float>(1000));
    run("add_one", bug, {4, 64, 0}, x.data(), 1000);
    EXPECT_EQ(x.values(), std::vector<float>(1000, 1));
  }

  Interpreter interpreter;
  Counts counts;
};

TEST_F(Planted, RightKernelsPass) {
  double_all(Bug::none);
  EXPECT_EQ(sum_blocks(Bug::none), 379 * 380 / 2);
  transpose(Bug::none);
  count_values(Bug::none);
  reverse_warps(Bug::none);
  add_one(Bug::none);
}

TEST_F(Planted, AWrongAnswerIsAWrongAnswer) { EXPECT_NE(sum_blocks(Bug::wrong_distance), 379 * 380 / 2); }

TEST_F(Planted, AThreadPastTheEndIsNamed) {
  EXPECT_THAT(emulation::error_of([&] { double_all(Bug::no_guard); }),
              AllOf(HasSubstr("block (3, 0, 0) thread 4 (lane 4): global memory out of bounds: a read of 4 bytes, 4 "
                              "bytes past the end of an allocation of 400"),
                    HasSubstr("planted_kernels.hpp:"), HasSubstr("ld.global.f32")));
}

TEST_F(Planted, FreedMemoryIsOutOfBounds) {
  void* memory = nullptr;
  cudaMalloc(&memory, 256);
  cudaFree(memory);
  EXPECT_THAT(emulation::error_of([&] {
                run("add_one", Bug::none, {1, 64, 0}, memory, 64);
              }),
              HasSubstr("global memory out of bounds"));
}

TEST_F(Planted, SharedMemoryEndsWhereItEnds) {
  EXPECT_THAT(
      emulation::error_of([&] { sum_blocks(Bug::shared_out_of_bounds); }),
      AllOf(HasSubstr("shared memory out of bounds: a write of 4 bytes at 32, of 32"), HasSubstr("st.shared.f32")));
}

TEST_F(Planted, AMissingBarrierIsARaceOfTwoWarps) {
  EXPECT_THAT(emulation::error_of([&] { sum_blocks(Bug::no_barrier); }),
              HasSubstr("no thread of the block has written it"));
  EXPECT_THAT(emulation::error_of([&] { transpose(Bug::no_second_barrier); }),
              AllOf(HasSubstr("a race on shared memory: this write has no order with the read of thread"),
                    HasSubstr("planted_kernels.hpp:")));
}

TEST_F(Planted, AMissingSyncwarpIsARaceOfTwoLanes) {
  EXPECT_THAT(emulation::error_of([&] { reverse_warps(Bug::no_warp_barrier); }),
              HasSubstr("a race on shared memory: this read has no order with the write of thread 31"));
}

TEST_F(Planted, AShuffleThatNamesAbsentLanesIsNamed) {
  EXPECT_THAT(emulation::error_of([&] { sum_blocks(Bug::wrong_mask); }),
              AllOf(HasSubstr("the mask 0xffffffff names lane 4, which has ended"), HasSubstr("shfl.sync.bfly.b32")));
}

TEST_F(Planted, ThreadsAtDifferentBarriersAreNamed) {
  EXPECT_THAT(emulation::error_of([&] { sum_blocks(Bug::divergent_barrier); }),
              HasSubstr("threads wait at different barriers"));
}

TEST_F(Planted, SharedMemoryThatNobodyWroteIsNotRead) {
  EXPECT_THAT(emulation::error_of([&] { sum_blocks(Bug::uninitialised_shared); }),
              HasSubstr("shared memory at 16 is read, and no thread of the block has written it"));
}

TEST_F(Planted, AnUpdateThatIsNotAtomicIsARace) {
  EXPECT_THAT(emulation::error_of([&] { count_values(Bug::not_atomic); }), HasSubstr("a race on global memory"));
}

TEST_F(Planted, BlocksThatTakeTheSameElementsAreARace) {
  EXPECT_THAT(emulation::error_of([&] { add_one(Bug::wrong_stride); }),
              AllOf(HasSubstr("a race on global memory: this read has no order with the write of thread"),
                    HasSubstr("of block 0")));
}

// --- launches that the kernel does not fit ---

TEST_F(Planted, AKernelIsFoundByItsWholeNameAlone) {
  EXPECT_THAT(emulation::error_of([&] {
                interpreter.run("double_all", {1, 32, 0}, {});
              }),
              AllOf(HasSubstr("no kernel of the PTX files is named double_all"),
                    HasSubstr("double_all<(lockstep::emulation::Bug)1>")));
  interpreter.add_files(LOCKSTEP_PTX_FILES);
  EXPECT_THAT(emulation::error_of([&] { add_one(Bug::none); }), HasSubstr("two kernels are named add_one"));
}

TEST_F(Planted, ArgumentsMustFitTheParameters) {
  EXPECT_THAT(emulation::error_of([&] {
                run("add_one", Bug::none, {1, 32, 0}, nullptr);
              }),
              HasSubstr("1 arguments for 2 parameters"));
  EXPECT_THAT(emulation::error_of([&] {
                run("add_one", Bug::none, {1, 32, 0}, nullptr, std::int64_t{1});
              }),
              HasSubstr("argument 1 has 8 bytes, its parameter 4"));
  EXPECT_THAT(emulation::error_of([&] {
                run("add_one", Bug::none, {1, 1025, 0}, nullptr, 1);
              }),
              HasSubstr("1025 x 1 x 1 threads"));
}

// --- what is counted ---

TEST_F(Planted, SectorsAreCountedByRequest) {
  DeviceArray<float> x(std::vector<float>(1024));
  run("add_one", Bug::none, {8, 128, 0}, x.data(), 1024);
  EXPECT_EQ(counts.requests, 2 * 1024 / 32);
  EXPECT_EQ(counts.sectors, 2 * 1024 / 8);
  EXPECT_EQ(counts.bytes_read, 4096);
  EXPECT_EQ(counts.bytes_written, 4096);
  EXPECT_EQ(counts.of(Mix::float32), 1024);
}

TEST_F(Planted, ColumnsOfATileOfEightMeetOnBanks) {
  transpose(Bug::none);  // a warp writes 32 words in a row; it reads 4 columns of 8, where rows 0 and 4 share a bank
  EXPECT_EQ(counts.fewest_passes, 2 * 32 * 32 / 32);
  EXPECT_EQ(counts.shared_passes, (1 + 2) * 32 * 32 / 32);
}

}  // namespace
}  // namespace lockstep::ptx
