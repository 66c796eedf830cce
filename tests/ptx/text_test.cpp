// Kernels written by hand: what nvcc writes only now and then, and what the interpreter must refuse.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gpu_emulation/engine/kernel_name.hpp"
#include "tests/gpu_emulation/planted.hpp"
#include "tests/ptx/interpreter/interpreter.hpp"

namespace lockstep::ptx {
namespace {

using emulation::DeviceArray;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using Values = std::vector<std::uint32_t>;

// A kernel whose body finds the thread in %t, the place of its own result in %out, and leaves the result in %r.
std::string kernel_of(const std::string& body) {
  return R"(
.version 9.0
.target sm_75
.address_size 64
.visible .entry kernel(.param .u64 kernel_param_0)
{
  .reg .pred %p<9>;
  .reg .b16 %rs<9>;
  .reg .b32 %r<9>;
  .reg .b32 %t;
  .reg .b32 %r;
  .reg .b64 %rd<9>;
  .reg .b64 %out;
  ld.param.u64 %out, [kernel_param_0];
  mov.u32 %t, %tid.x;
  mad.wide.u32 %out, %t, 4, %out;
)" + body +
         R"(
  st.global.u32 [%out], %r;
  ret;
}
)";
}

Values run(const std::string& body, unsigned threads = 32) {
  Interpreter interpreter;
  interpreter.add("hand.ptx", kernel_of(body));
  DeviceArray<std::uint32_t> out(Values(threads, 0));
  interpreter.run("kernel", {1, threads, 0}, {emulation::bytes_of(out.data())});
  return out.values();
}
std::string error_of(const std::string& body, unsigned threads = 32) {
  return emulation::error_of([&] { run(body, threads); });
}

TEST(Ptx, LanesPartAndMeetAgain) {
  const Values got = run(R"(
  setp.lt.u32 %p1, %t, 10;
  mov.u32 %r, 7;
  @!%p1 bra $else;
  mul.lo.u32 %r, %t, 2;
  bra.uni $end;
$else:
  add.u32 %r, %t, 100;
$end:
  shfl.sync.idx.b32 %r1, %r, 31, 31, -1;
  add.u32 %r, %r, %r1;)");
  EXPECT_EQ(got[3], 6 + 131U);
  EXPECT_EQ(got[20], 120 + 131U);
}

TEST(Ptx, LoopsOfDifferentLengthEndTogether) {
  const Values got = run(R"(
  mov.u32 %r, 0;
  mov.u32 %r1, 0;
$loop:
  add.u32 %r, %r, %r1;
  add.u32 %r1, %r1, 1;
  setp.le.u32 %p1, %r1, %t;
  @%p1 bra $loop;
  bar.sync 0;)");
  EXPECT_EQ(got[5], 15U);
  EXPECT_EQ(got[31], 496U);
}

TEST(Ptx, TablesOfBranchesScopesAndPredicatedInstructions) {
  const Values got = run(R"(
  rem.u32 %r1, %t, 3;
  mov.u32 %r, 0;
$table: .branchtargets $a, $b, $c;
  brx.idx %r1, $table;
$a:
  { .reg .b32 low;  // a scope, as inline PTX has them
    mov.u32 low, 5; add.u32 %r, %r, low; }
$b:
  add.u32 %r, %r, 10;
$c:
  setp.eq.u32 %p1, %t, 4;
  @%p1 add.u32 %r, %r, 1000;)");
  EXPECT_EQ(Values(got.begin(), got.begin() + 5), (Values{15, 10, 0, 15, 1010}));
}

TEST(Ptx, PartsOfRegistersAndVectorsOfMemory) {
  const Values got = run(R"(
  mov.b64 %rd1, {%t, 3};
  mov.b64 {%r1, %r2}, %rd1;
  mov.b32 {%rs1, %rs2}, 0x00050006;
  mov.b32 %r3, {%rs2, %rs1};
  .local .align 8 .b8 room[8];
  mov.u64 %rd2, room;
  cvta.local.u64 %rd3, %rd2;
  st.v2.u32 [%rd3], {%r1, %r2};
  ld.local.v2.u32 {_, %r4}, [%rd2];
  add.u32 %r, %r4, %r3;)");
  EXPECT_THAT(got, Each(3U + (6U << 16U | 5U)));
}

TEST(Ptx, AtomicsVotesAndBarriersThatCount) {
  const Values got = run(R"(
  .shared .align 4 .b8 sum[4];
  setp.eq.u32 %p1, %t, 0;
  @%p1 st.shared.u32 [sum], 0;
  bar.sync 0;
  atom.shared.add.u32 %r1, [sum], 2;
  setp.lt.u32 %p2, %t, 40;
  bar.red.popc.u32 %r2, 0, %p2;
  ld.shared.u32 %r3, [sum];
  vote.sync.ballot.b32 %r4, %p1, -1;
  add.u32 %r, %r2, %r3;
  add.u32 %r, %r, %r4;)",
                         64);
  EXPECT_EQ(got[0], 40 + 128 + 1U);
  EXPECT_EQ(got[63], 40 + 128U);
}

TEST(Ptx, ShufflesStayInTheirSegments) {
  const Values got = run(R"(
  shfl.sync.down.b32 %r1|%p1, %t, 3, 0x1807, -1;
  selp.u32 %r2, 100, 0, %p1;
  add.u32 %r, %r1, %r2;)");
  EXPECT_EQ(got[4], 107U);
  EXPECT_EQ(got[5], 5U);
  EXPECT_EQ(got[9], 112U);
}

TEST(Ptx, AnUnknownInstructionIsNamedWithItsLine) {
  EXPECT_THAT(error_of("  wgmma.fence.sync.aligned;"),
              AllOf(HasSubstr("kernel kernel: hand.ptx:17: `wgmma.fence.sync.aligned`"), HasSubstr("has not")));
  EXPECT_THAT(error_of("  add.u32 %r, %rd1, 1;"), HasSubstr("%rd1 has another width"));
  EXPECT_THAT(error_of("  add.u32 %r, nowhere, 1;"), HasSubstr("neither a register nor a number nor a name: nowhere"));
  EXPECT_THAT(error_of("  bra $nowhere;"), HasSubstr("no such label: $nowhere"));
  EXPECT_THAT(error_of("  add.u32 %r, 1;"), HasSubstr("another number of operands"));
}

TEST(Ptx, WhatCannotGoOnIsADeadlock) {
  EXPECT_THAT(error_of("  setp.eq.u32 %p1, %t, 0;\n  @%p1 bra $skip;\n  shfl.sync.idx.b32 %r, %t, 0, 31, -1;\n"
                       "$skip:\n  bar.sync 0;"),
              HasSubstr("deadlock: it waits for lanes that never come"));
  EXPECT_THAT(error_of("  bar.sync 1, 64;"), HasSubstr("deadlock: others never reach its barrier"));
}

TEST(Ptx, AlignmentSharedLimitsAndForeignLanesAreChecked) {
  EXPECT_THAT(error_of("  mov.u32 %r, 1;\n  add.u64 %out, %out, 2;"), HasSubstr("is no multiple of 4 bytes"));
  EXPECT_THAT(error_of("  ld.shared.u32 %r, [0];"),
              HasSubstr("shared memory out of bounds: a read of 4 bytes at 0, of 0"));
  EXPECT_THAT(error_of("  mov.u32 %r1, 0x0000FFFF;\n  shfl.sync.idx.b32 %r, %t, 2, 31, %r1;"),
              HasSubstr("the mask 0xffff does not name the lane itself"));
  EXPECT_THAT(
      error_of("  setp.lt.u32 %p1, %t, 16;\n  mov.u32 %r, 0;\n  @%p1 shfl.sync.idx.b32 %r, %t, 20, 31, 0xFFFF;"),
      HasSubstr("a shuffle reads lane 20, which its mask 0xffff does not name"));
}

TEST(Ptx, NamesAreTheKernelsOwn) {
  EXPECT_EQ(emulation::own_name(
                "_ZN8lockstep7kernels4cuda57_GLOBAL__N__ef415b51_24_softmax_cross_entropy_cu_e4a332f816softmax_of_"
                "warpsILi32EEEvPKfPKifPfNS2_9RowAnswerEli"),
            "softmax_of_warps<32>");
  EXPECT_EQ(emulation::own_name("_Z1gPf"), "g");
  EXPECT_EQ(emulation::own_name("kernel"), "kernel");
}

}  // namespace
}  // namespace lockstep::ptx
