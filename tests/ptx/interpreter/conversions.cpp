// cvt: between integers, floats and half-width floats (PTX ISA 9.0, 9.7.9.22); and the whole table of operations.
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <tuple>

#include "tests/ptx/interpreter/program.hpp"

namespace lockstep::ptx {
namespace {

template <class T>
struct Named {
  const char* name;
};
constexpr std::tuple integers{Named<std::uint8_t>{"u8"},   Named<std::int8_t>{"s8"},    Named<std::uint16_t>{"u16"},
                              Named<std::int16_t>{"s16"},  Named<std::uint32_t>{"u32"}, Named<std::int32_t>{"s32"},
                              Named<std::uint64_t>{"u64"}, Named<std::int64_t>{"s64"}};
constexpr std::tuple floats{Named<float>{"f32"}, Named<double>{"f64"}};

template <class List, class Act>
void for_each(const List& list, const Act& act) {
  std::apply([&](const auto&... each) { (act(each), ...); }, list);
}

// What a register holds of a small integer: its own bits, spread with its sign over the register's 32.
template <class T>
using Held =
    std::conditional_t<sizeof(T) >= 4, T, std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>>;

// Out of range: the nearest that there is. NaN: 0 from 32 bits to 32 or less, else the highest bit alone.
template <class T, class F>
Held<T> saturated(F value) {
  constexpr bool small = sizeof(F) == 4 && sizeof(T) <= 4;
  if (std::isnan(value)) return static_cast<T>(small ? 0 : std::uint64_t{1} << (8 * sizeof(T) - 1));
  if (value <= static_cast<F>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  if (value >= static_cast<F>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

template <class T, class F>
void add_float_and_integer(Operations& table, const std::string& integer, const std::string& real) {
  table.emplace_back("cvt.rn." + real + "." + integer, lanewise<F, T>([](T a) { return static_cast<F>(a); }));
  const auto add = [&](const char* rounding, auto f) {
    table.emplace_back(std::string("cvt.") + rounding + "." + integer + "." + real, lanewise<Held<T>, F>(f));
  };
  add("rzi", [](F a) { return saturated<T>(std::trunc(a)); });
  add("rmi", [](F a) { return saturated<T>(std::floor(a)); });
  add("rpi", [](F a) { return saturated<T>(std::ceil(a)); });
  add("rni", [](F a) { return saturated<T>(std::nearbyint(a)); });
}

template <class F>
void add_roundings(Operations& table, const std::string& type) {
  const auto add = [&](const std::string& how, auto f) {
    table.emplace_back("cvt." + how + "." + type + "." + type, lanewise<F, F>(f));
  };
  add("rzi", [](F a) { return std::trunc(a); });
  add("rmi", [](F a) { return std::floor(a); });
  add("rpi", [](F a) { return std::ceil(a); });
  add("rni", [](F a) { return std::nearbyint(a); });
  add("sat", [](F a) { return a > 0 ? (a < 1 ? a : F{1}) : F{0}; });  // NaN: 0
}

std::uint16_t to_bf16(float value) {
  if (std::isnan(value)) return 0x7FFF;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}
float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U); }

// cvta: between a space's own addresses and generic ones (9.7.9.20).
void add_address_conversions(Operations& table) {
  using Address = std::uint64_t;
  table.emplace_back("cvta.global.u64", lanewise<Address, Address>([](Address a) { return a; }));
  table.emplace_back("cvta.to.global.u64", lanewise<Address, Address>([](Address a) { return a; }));
  table.emplace_back("cvta.shared.u64", lanewise<Address, Address>([](Address a) { return a | shared_window; }));
  table.emplace_back("cvta.to.shared.u64", lanewise<Address, Address>([](Address a) { return a & ~shared_window; }));
  table.emplace_back("cvta.local.u64", lanewise<Address, Address>([](Address a) { return a | local_window; }));
  table.emplace_back("cvta.to.local.u64", lanewise<Address, Address>([](Address a) { return a & ~local_window; }));
  table.emplace_back("cvta.param.u64", lanewise<Address, Address>([](Address a) { return a | parameter_window; }));
}

}  // namespace

void add_conversions(Operations& table) {
  for_each(integers, [&]<class To>(Named<To> to) {
    for_each(integers, [&]<class From>(Named<From> from) {
      table.emplace_back(std::string("cvt.") + to.name + "." + from.name,
                         lanewise<Held<To>, From>([](From a) { return static_cast<Held<To>>(static_cast<To>(a)); }));
      table.emplace_back(std::string("cvt.") + to.name + "." + from.name + of_wider,
                         lanewise<Held<To>, std::uint64_t>([](std::uint64_t a) {
                           return static_cast<Held<To>>(static_cast<To>(static_cast<From>(a)));
                         }));
    });
    for_each(floats, [&]<class F>(Named<F> real) { add_float_and_integer<To, F>(table, to.name, real.name); });
  });
  add_address_conversions(table);
  add_roundings<float>(table, "f32");
  add_roundings<double>(table, "f64");
  table.emplace_back("cvt.f64.f32", lanewise<double, float>([](float a) { return static_cast<double>(a); }));
  table.emplace_back("cvt.rn.f32.f64", lanewise<float, double>([](double a) { return static_cast<float>(a); }));
  table.emplace_back("cvt.rn.bf16.f32", lanewise<std::uint16_t, float>([](float a) { return to_bf16(a); }));
  table.emplace_back("cvt.f32.bf16", lanewise<float, std::uint16_t>([](std::uint16_t a) { return from_bf16(a); }));
  table.emplace_back("cvt.rn.bf16x2.f32", lanewise<std::uint32_t, float, float>([](float high, float low) {
                       return static_cast<std::uint32_t>(to_bf16(high)) << 16U | to_bf16(low);
                     }));
}

const Operation* find_operation(const std::string& opcode) {
  static const auto* table = [] {
    Operations all;
    add_integer_operations(all);
    add_float_operations(all);
    add_conversions(all);
    return new std::map<std::string, Operation>(all.begin(), all.end());
  }();
  const auto found = table->find(opcode);
  return found == table->end() ? nullptr : &found->second;
}

}  // namespace lockstep::ptx
