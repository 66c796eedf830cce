// Instructions by themselves, against values that the PTX ISA names or that are exact.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/ptx/interpreter/lanes.hpp"

namespace lockstep::ptx {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

// What the instruction gives for these operands, in one lane of many.
template <class To, class... From>
To result_of(const char* opcode, From... operands) {
  const Operation* operation = find_operation(opcode);
  if (operation == nullptr || operation->operands != 1 + sizeof...(From)) throw std::runtime_error(opcode);
  Registers registers;
  registers.narrow.resize(8);
  registers.wide.resize(8);
  registers.predicates.resize(8);
  Places places{0, 1, 2, 3, 4};
  constexpr int lane = 7;
  std::uint16_t at = 1;
  const auto place = [&]<class T>(T value) {
    if constexpr (std::is_same_v<T, bool>) {
      registers.predicates[at++] = value ? all_lanes : 0;
    } else {
      put(registers, at++, lane, value);
    }
  };
  (place(operands), ...);
  operation->run(registers, places, 1U << lane | 1U);
  EXPECT_EQ(registers.narrow[0][lane + 1], 0U) << "a lane that is not active";
  return get<To>(registers, 0, lane);
}

TEST(Operations, IntegersWrapAndShiftsStopAtTheirWidth) {
  EXPECT_EQ((result_of<std::uint32_t>("add.s32", 0xFFFFFFFFU, 2U)), 1U);
  EXPECT_EQ((result_of<std::int32_t>("mul.hi.s32", -2, 1 << 30)), -1);
  EXPECT_EQ((result_of<std::uint64_t>("mul.wide.u32", 0xFFFFFFFFU, 0xFFFFFFFFU)), 0xFFFFFFFE00000001ULL);
  EXPECT_EQ((result_of<std::int64_t>("mul.wide.s32", -3, 5)), -15);
  EXPECT_EQ((result_of<std::uint64_t>("mul.hi.u64", ~0ULL, 2ULL)), 1ULL);
  EXPECT_EQ((result_of<std::uint32_t>("shl.b32", 1U, 32U)), 0U);
  EXPECT_EQ((result_of<std::int32_t>("shr.s32", -8, 99U)), -1);
  EXPECT_EQ((result_of<std::int32_t>("div.s32", -7, 2)), -3);
  EXPECT_EQ((result_of<std::int32_t>("rem.s32", std::numeric_limits<int>::min(), -1)), 0);
  EXPECT_EQ((result_of<std::uint32_t>("abs.s32", -5)), 5U);
  EXPECT_EQ((result_of<std::int32_t>("min.s32", -1, 1)), -1);
  EXPECT_EQ((result_of<std::uint32_t>("min.u32", 0xFFFFFFFFU, 1U)), 1U);
  EXPECT_TRUE((result_of<bool>("setp.lt.s16", std::int16_t{-1}, std::int16_t{0})));
  EXPECT_TRUE((result_of<bool>("setp.gt.u16", std::uint16_t{0xFFFF}, std::uint16_t{0})));
}

TEST(Operations, BitsMoveAsTheIsaSays) {
  EXPECT_EQ((result_of<std::uint32_t>("prmt.b32", 0x33221100U, 0x77665544U, 0x7140U)), 0x77114400U);
  EXPECT_EQ((result_of<std::uint32_t>("prmt.b32", 0x80U, 0U, 0x4448U)), 0xFFU);
  EXPECT_EQ((result_of<std::uint32_t>("bfe.u32", 0xABCD1234U, 8U, 12U)), 0xD12U);
  EXPECT_EQ((result_of<std::uint32_t>("bfi.b32", 0xFFFFF123U, 0xABCDEF00U, 8U, 12U)), 0xABC12300U);
  EXPECT_EQ((result_of<std::uint32_t>("bfi.b32", 0xFU, 0x12345678U, 28U, 8U)), 0xF2345678U);
  EXPECT_EQ((result_of<std::uint32_t>("bfi.b32", 0xFU, 0x12345678U, 32U, 8U)), 0x12345678U);
  EXPECT_EQ((result_of<std::uint32_t>("shf.l.wrap.b32", 0x80000000U, 1U, 1U)), 3U);
  EXPECT_EQ((result_of<std::uint32_t>("brev.b32", 1U)), 0x80000000U);
  EXPECT_EQ((result_of<std::uint32_t>("popc.b64", 0xF0F0ULL)), 8U);
  EXPECT_EQ((result_of<std::uint32_t>("clz.b32", 1U)), 31U);
  EXPECT_EQ((result_of<float>("selp.f32", 1.0F, 2.0F, false)), 2.0F);
}

TEST(Operations, FloatsRoundAsIeeeSays) {
  EXPECT_EQ((result_of<float>("fma.rn.f32", 1 + 0x1p-23F, 1 - 0x1p-23F, -1.0F)), -0x1p-46F);
  EXPECT_EQ((result_of<float>("mul.rn.f32", 1 + 0x1p-23F, 1 - 0x1p-23F)), 1.0F);
  EXPECT_EQ((result_of<float>("fma.rm.f32", 1.0F, 1.0F, 0x1p-40F)), 1.0F);
  EXPECT_EQ((result_of<float>("fma.rm.f32", 1.0F, 1.0F, -0x1p-40F)), 1 - 0x1p-24F);
  EXPECT_EQ((result_of<float>("div.rn.f32", 1.0F, 3.0F)), 1.0F / 3.0F);
  EXPECT_EQ((result_of<float>("add.rn.f32", 1.0F, 0x1p-24F)), 1.0F) << "a tie goes to even";
}

TEST(Operations, NanGivesWayInMinimaAndFailsInComparisons) {
  EXPECT_EQ((result_of<float>("max.f32", nan, 1.0F)), 1.0F);
  EXPECT_EQ((result_of<float>("min.f32", 1.0F, nan)), 1.0F);
  EXPECT_FALSE(std::signbit(result_of<float>("max.f32", -0.0F, 0.0F)));
  EXPECT_TRUE(std::signbit(result_of<float>("min.f32", 0.0F, -0.0F)));
  EXPECT_FALSE((result_of<bool>("setp.ne.f32", nan, 1.0F)));
  EXPECT_TRUE((result_of<bool>("setp.neu.f32", nan, 1.0F)));
  EXPECT_TRUE((result_of<bool>("setp.leu.f32", nan, 1.0F)));
  EXPECT_TRUE((result_of<bool>("setp.nan.f32", 1.0F, nan)));
  EXPECT_FALSE((result_of<bool>("setp.num.f32", 1.0F, nan)));
}

TEST(Operations, ConversionsSaturateAndRoundAsNamed) {
  EXPECT_EQ((result_of<std::int32_t>("cvt.rni.s32.f32", 2.5F)), 2);
  EXPECT_EQ((result_of<std::int32_t>("cvt.rzi.s32.f32", -2.7F)), -2);
  EXPECT_EQ((result_of<std::int32_t>("cvt.rmi.s32.f32", -2.2F)), -3);
  EXPECT_EQ((result_of<std::int32_t>("cvt.rpi.s32.f32", 2.2F)), 3);
  EXPECT_EQ((result_of<std::int32_t>("cvt.rzi.s32.f32", 1e20F)), std::numeric_limits<int>::max());
  EXPECT_EQ((result_of<std::uint32_t>("cvt.rzi.u32.f32", -1.0F)), 0U);
  EXPECT_EQ((result_of<std::int32_t>("cvt.rzi.s32.f32", nan)), 0);
  EXPECT_EQ((result_of<std::int32_t>("cvt.rzi.s32.f64", std::nan(""))), std::numeric_limits<int>::min());
  EXPECT_EQ((result_of<float>("cvt.sat.f32.f32", nan)), 0.0F);
  EXPECT_EQ((result_of<float>("cvt.sat.f32.f32", 7.0F)), 1.0F);
  EXPECT_EQ((result_of<std::int64_t>("cvt.s64.s32", -5)), -5);
  EXPECT_EQ((result_of<std::uint64_t>("cvt.u64.u32", 0xFFFFFFFFU)), 0xFFFFFFFFULL);
  EXPECT_EQ((result_of<std::int32_t>("cvt.s32.s8", 0x80U)), -128);
  EXPECT_EQ((result_of<float>("cvt.rn.f32.s64", std::int64_t{1} << 40)), 0x1p40F);
  EXPECT_EQ((result_of<float>("cvt.rn.f32.f64", 1.0 + 0x1p-24)), 1.0F);
}

TEST(Operations, HalfWidthFloatsRoundToEven) {
  EXPECT_EQ((result_of<std::uint16_t>("cvt.rn.bf16.f32", 1.0F)), 0x3F80);
  EXPECT_EQ((result_of<std::uint16_t>("cvt.rn.bf16.f32", 1 + 0x1p-8F)), 0x3F80);
  EXPECT_EQ((result_of<std::uint16_t>("cvt.rn.bf16.f32", 1 + 0x3p-8F)), 0x3F82);
  EXPECT_EQ((result_of<std::uint16_t>("cvt.rn.bf16.f32", nan)), 0x7FFF);
  EXPECT_EQ((result_of<std::uint32_t>("cvt.rn.bf16x2.f32", 1.0F, 2.0F)), 0x3F804000U);
  EXPECT_EQ((result_of<float>("cvt.f32.bf16", std::uint16_t{0x3F80})), 1.0F);
}

TEST(Operations, ApproximationsAreCloseAndFlushSubnormals) {
  EXPECT_NEAR((result_of<float>("ex2.approx.ftz.f32", 0.5F)), std::sqrt(2.0F), 1e-6);
  EXPECT_EQ((result_of<float>("ex2.approx.ftz.f32", -140.0F)), 0.0F);
  EXPECT_EQ((result_of<float>("ex2.approx.ftz.f32", -infinity)), 0.0F);
  EXPECT_NEAR((result_of<double>("rcp.approx.ftz.f64", 3.0)), 1.0 / 3, 1e-6);
}

TEST(Operations, OneThatIsNotThereIsNotFound) { EXPECT_EQ(find_operation("wgmma.mma_async"), nullptr); }

}  // namespace
}  // namespace lockstep::ptx
