// Floating point (PTX ISA 9.0, 9.7.3). What IEEE 754 defines has IEEE's bits. The approximations (.approx) are computed
// in double and rounded: closer than a GPU's, whose last bits differ, so nothing may be compared bit by bit behind one.
#include <cfenv>
#include <cmath>
#include <limits>
#include <string>

#include "tests/ptx/interpreter/lanes.hpp"

namespace lockstep::ptx {
namespace {

template <class T>
bool unordered(T a, T b) {
  return std::isnan(a) || std::isnan(b);
}

template <class T>
void add_float_comparisons(Operations& table, const std::string& type) {
  const auto add = [&](const char* name, auto f) {
    table.emplace_back("setp." + (name + ("." + type)), lanewise<bool, T, T>(f));
  };
  add("eq", [](T a, T b) { return a == b; });
  add("ne", [](T a, T b) { return a != b && !unordered(a, b); });
  add("lt", [](T a, T b) { return a < b; });
  add("le", [](T a, T b) { return a <= b; });
  add("gt", [](T a, T b) { return a > b; });
  add("ge", [](T a, T b) { return a >= b; });
  add("equ", [](T a, T b) { return a == b || unordered(a, b); });
  add("neu", [](T a, T b) { return a != b; });
  add("ltu", [](T a, T b) { return !(a >= b); });
  add("leu", [](T a, T b) { return !(a > b); });
  add("gtu", [](T a, T b) { return !(a <= b); });
  add("geu", [](T a, T b) { return !(a < b); });
  add("num", [](T a, T b) { return !unordered(a, b); });
  add("nan", [](T a, T b) { return unordered(a, b); });
}

// Of a number and a NaN the number; -0 is less than +0.
template <class T>
T smaller(T a, T b) {
  if (unordered(a, b)) return std::isnan(a) ? b : a;
  return a < b || (a == b && std::signbit(a)) ? a : b;
}

template <class T>
void add_float_arithmetic(Operations& table, const std::string& type) {
  const auto add = [&](const std::string& name, Operation operation) {
    table.emplace_back(name + "." + type, operation);
  };
  for (const std::string rounding : {"", ".rn"}) {
    add("add" + rounding, lanewise<T, T, T>([](T a, T b) { return a + b; }));
    add("sub" + rounding, lanewise<T, T, T>([](T a, T b) { return a - b; }));
    add("mul" + rounding, lanewise<T, T, T>([](T a, T b) { return a * b; }));
  }
  add("div.rn", lanewise<T, T, T>([](T a, T b) { return a / b; }));
  add("rcp.rn", lanewise<T, T>([](T a) { return 1 / a; }));
  add("sqrt.rn", lanewise<T, T>([](T a) { return std::sqrt(a); }));
  add("fma.rn", lanewise<T, T, T, T>([](T a, T b, T c) { return std::fma(a, b, c); }));
  add("neg", lanewise<T, T>([](T a) { return -a; }));
  add("abs", lanewise<T, T>([](T a) { return std::abs(a); }));
  add("copysign", lanewise<T, T, T>([](T sign, T magnitude) { return std::copysign(magnitude, sign); }));
  add("min", lanewise<T, T, T>([](T a, T b) { return smaller(a, b); }));
  add("max", lanewise<T, T, T>([](T a, T b) { return -smaller(-a, -b); }));
  add_float_comparisons<T>(table, type);
}

float rounded_down(float a, float b, float c) {
  const int kept = std::fegetround();
  std::fesetround(FE_DOWNWARD);
  const volatile float result = std::fma(a, b, c);
  std::fesetround(kept);
  return result;
}

// Subnormal numbers are zeros where .ftz stands.
float flushed(float value) { return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0F, value) : value; }
template <class F>
float near(float a, F f) {
  return flushed(static_cast<float>(f(static_cast<double>(flushed(a)))));
}

void add_approximations(Operations& table) {
  const auto add = [&](const char* name, auto f) { table.emplace_back(name, lanewise<float, float>(f)); };
  add("ex2.approx.ftz.f32", [](float a) { return near(a, [](double x) { return std::exp2(x); }); });
  add("lg2.approx.ftz.f32", [](float a) { return near(a, [](double x) { return std::log2(x); }); });
  add("rcp.approx.ftz.f32", [](float a) { return near(a, [](double x) { return 1 / x; }); });
  add("rsqrt.approx.ftz.f32", [](float a) { return near(a, [](double x) { return 1 / std::sqrt(x); }); });
  add("ex2.approx.f32", [](float a) { return static_cast<float>(std::exp2(static_cast<double>(a))); });
  add("lg2.approx.f32", [](float a) { return static_cast<float>(std::log2(static_cast<double>(a))); });
  add("rcp.approx.f32", [](float a) { return static_cast<float>(1 / static_cast<double>(a)); });
  add("rsqrt.approx.f32", [](float a) { return static_cast<float>(1 / std::sqrt(static_cast<double>(a))); });
  add("sin.approx.f32", [](float a) { return static_cast<float>(std::sin(static_cast<double>(a))); });
  add("cos.approx.f32", [](float a) { return static_cast<float>(std::cos(static_cast<double>(a))); });
  add("tanh.approx.f32", [](float a) { return static_cast<float>(std::tanh(static_cast<double>(a))); });
  for (const char* name : {"div.full.f32", "div.approx.f32"}) {
    table.emplace_back(name, lanewise<float, float, float>([](float a, float b) { return a / b; }));
  }
  // The upper 32 bits of the result; the lower ones are zeros (9.7.3.13 and 9.7.3.17).
  constexpr auto upper = [](double value) {
    return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) & 0xFFFFFFFF00000000U);
  };
  table.emplace_back("rcp.approx.ftz.f64", lanewise<double, double>([](double a) { return decltype(upper){}(1 / a); }));
  table.emplace_back("rsqrt.approx.ftz.f64",
                     lanewise<double, double>([](double a) { return decltype(upper){}(1 / std::sqrt(a)); }));
}

}  // namespace

void add_float_operations(Operations& table) {
  add_float_arithmetic<float>(table, "f32");
  add_float_arithmetic<double>(table, "f64");
  table.emplace_back("fma.rm.f32", lanewise<float, float, float, float>(
                                       [](float a, float b, float c) { return rounded_down(a, b, c); }));
  const auto test = [&](const char* name, auto f) { table.emplace_back(name, lanewise<bool, float>(f)); };
  test("testp.finite.f32", [](float a) { return std::isfinite(a); });
  test("testp.infinite.f32", [](float a) { return std::isinf(a); });
  test("testp.notanumber.f32", [](float a) { return std::isnan(a); });
  add_approximations(table);
}

}  // namespace lockstep::ptx
