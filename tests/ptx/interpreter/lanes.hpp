// The registers of a warp, 32 lanes side by side, and what an operation does to them.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep::ptx {

inline constexpr int lanes = 32;
using Mask = std::uint32_t;  // a bit a lane
inline constexpr Mask all_lanes = 0xFFFFFFFFU;

// In which of a warp's three register files a value lies. Narrow: up to 32 bits.
enum class File : std::uint8_t { narrow, wide, predicate };

struct Registers {
  std::vector<std::array<std::uint32_t, lanes>> narrow;
  std::vector<std::array<std::uint64_t, lanes>> wide;
  std::vector<Mask> predicates;
};

// Which registers an instruction works on: the destination first.
using Places = std::array<std::uint16_t, 6>;
using Compute = void (*)(Registers&, const Places&, Mask active);

struct Operation {
  Compute run = nullptr;
  std::array<File, 5> files{};
  std::size_t operands = 0;
};

// By the opcode as it is written, e.g. "fma.rn.f32"; null for one that this interpreter has not.
const Operation* find_operation(const std::string& opcode);
// Behind the opcode of a cvt between integers: it takes the lower bits of a 64-bit register (PTX ISA 9.0, 9.4.1).
inline constexpr const char* of_wider = " of wider";

template <class T>
inline constexpr File file_of = std::is_same_v<T, bool> ? File::predicate
                                : sizeof(T) == 8        ? File::wide
                                                        : File::narrow;

template <class Act>
void for_lanes(Mask active, const Act& act) {
  if (active == all_lanes) {
#pragma GCC ivdep
    for (int lane = 0; lane < lanes; ++lane) act(lane);
  } else {
    for (Mask rest = active; rest != 0; rest &= rest - 1) act(std::countr_zero(rest));
  }
}

template <class T>
T get(const Registers& of, std::uint16_t at, int lane) {
  const auto i = static_cast<std::size_t>(lane);
  if constexpr (file_of<T> == File::predicate) {
    return (of.predicates[at] >> i & 1U) != 0;
  } else if constexpr (sizeof(T) == 8) {
    return std::bit_cast<T>(of.wide[at][i]);
  } else if constexpr (sizeof(T) == 4) {
    return std::bit_cast<T>(of.narrow[at][i]);
  } else {
    return static_cast<T>(of.narrow[at][i]);
  }
}
template <class T>
void put(Registers& of, std::uint16_t at, int lane, T value) {
  const auto i = static_cast<std::size_t>(lane);
  if constexpr (sizeof(T) == 8) {
    of.wide[at][i] = std::bit_cast<std::uint64_t>(value);
  } else if constexpr (sizeof(T) == 4) {
    of.narrow[at][i] = std::bit_cast<std::uint32_t>(value);
  } else {
    of.narrow[at][i] = static_cast<std::make_unsigned_t<T>>(value);
  }
}

// destination = f(sources...), in each active lane. F is a lambda that captures nothing.
template <class To, class... From, class F>
Operation lanewise(F /*f*/) {
  constexpr auto run = []<std::size_t... i>(std::index_sequence<i...>) {
    return [](Registers& registers, const Places& at, Mask active) {
      if constexpr (file_of<To> == File::predicate) {
        Mask result = 0;
        for_lanes(active, [&](int lane) {
          result |= static_cast<Mask>(F{}(get<From>(registers, at[i + 1], lane)...)) << static_cast<unsigned>(lane);
        });
        registers.predicates[at[0]] = (registers.predicates[at[0]] & ~active) | (result & active);
      } else {
        for_lanes(active,
                  [&](int lane) { put<To>(registers, at[0], lane, F{}(get<From>(registers, at[i + 1], lane)...)); });
      }
    };
  }
  (std::index_sequence_for<From...>());
  return {run, {file_of<To>, file_of<From>...}, 1 + sizeof...(From)};
}

// The parts of the table of operations.
using Operations = std::vector<std::pair<std::string, Operation>>;
void add_integer_operations(Operations& table);
void add_float_operations(Operations& table);
void add_conversions(Operations& table);

}  // namespace lockstep::ptx
