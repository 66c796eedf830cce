// Integers, bits and predicates (PTX ISA 9.0, 9.7.1, 9.7.2 and 9.7.8).
#include <algorithm>
#include <limits>
#include <string>

#include "tests/ptx/interpreter/lanes.hpp"

namespace lockstep::ptx {
namespace {

// Twice as wide: products of T are exact in it.
template <class T>
struct Twice;
template <>
struct Twice<std::uint16_t> {
  using type = std::uint32_t;
};
template <>
struct Twice<std::int16_t> {
  using type = std::int32_t;
};
template <>
struct Twice<std::uint32_t> {
  using type = std::uint64_t;
};
template <>
struct Twice<std::int32_t> {
  using type = std::int64_t;
};
template <>
struct Twice<std::uint64_t> {
  __extension__ typedef unsigned __int128 type;
};
template <>
struct Twice<std::int64_t> {
  __extension__ typedef __int128 type;
};

template <class T>
void add_integer_comparisons(Operations& table, const std::string& type) {
  const auto add = [&](const char* name, auto f) {
    table.emplace_back("setp." + (name + ("." + type)), lanewise<bool, T, T>(f));
  };
  add("eq", [](T a, T b) { return a == b; });
  add("ne", [](T a, T b) { return a != b; });
  add("lt", [](T a, T b) { return a < b; });
  add("le", [](T a, T b) { return a <= b; });
  add("gt", [](T a, T b) { return a > b; });
  add("ge", [](T a, T b) { return a >= b; });
}

// What is undefined in C++ wraps around; what PTX leaves open for a division by zero is all ones here.
template <class T>
void add_integer_arithmetic(Operations& table, const std::string& type) {
  using U = std::make_unsigned_t<T>;
  using Wide = typename Twice<T>::type;
  constexpr int bits = std::numeric_limits<U>::digits;
  const auto add = [&](const std::string& name, Operation operation) {
    table.emplace_back(name + "." + type, operation);
  };
  add("add", lanewise<U, U, U>([](U a, U b) { return static_cast<U>(a + b); }));
  add("sub", lanewise<U, U, U>([](U a, U b) { return static_cast<U>(a - b); }));
  add("neg", lanewise<U, U>([](U a) { return static_cast<U>(0 - a); }));
  add("abs", lanewise<U, T>([](T a) { return a < 0 ? static_cast<U>(0 - static_cast<U>(a)) : static_cast<U>(a); }));
  add("min", lanewise<T, T, T>([](T a, T b) { return std::min(a, b); }));
  add("max", lanewise<T, T, T>([](T a, T b) { return std::max(a, b); }));
  add("mul.lo", lanewise<U, T, T>([](T a, T b) { return static_cast<U>(static_cast<Wide>(a) * b); }));
  add("mul.hi", lanewise<T, T, T>([](T a, T b) { return static_cast<T>((static_cast<Wide>(a) * b) >> bits); }));
  add("mad.lo",
      lanewise<U, T, T, U>([](T a, T b, U c) { return static_cast<U>(static_cast<U>(static_cast<Wide>(a) * b) + c); }));
  add("div", lanewise<T, T, T>([](T a, T b) {
        if (b == 0) return static_cast<T>(~U{0});
        if (std::is_signed_v<T> && b == static_cast<T>(-1)) return static_cast<T>(0 - static_cast<U>(a));
        return static_cast<T>(a / b);
      }));
  add("rem", lanewise<T, T, T>([](T a, T b) {
        if (b == 0) return static_cast<T>(~U{0});
        if (std::is_signed_v<T> && b == static_cast<T>(-1)) return T{0};
        return static_cast<T>(a % b);
      }));
  add("shr", lanewise<T, T, std::uint32_t>([](T a, std::uint32_t by) {
        if (by >= bits) return a < 0 ? static_cast<T>(-1) : T{0};
        return static_cast<T>(a >> by);
      }));
  if constexpr (sizeof(T) < 8) {
    add("mul.wide", lanewise<Wide, T, T>([](T a, T b) { return static_cast<Wide>(a) * b; }));
    using UnsignedWide = std::make_unsigned_t<Wide>;
    add("mad.wide", lanewise<UnsignedWide, T, T, UnsignedWide>([](T a, T b, UnsignedWide c) {
          return static_cast<UnsignedWide>(static_cast<UnsignedWide>(static_cast<Wide>(a) * b) + c);
        }));
  }
  add_integer_comparisons<T>(table, type);
}

template <class U>
void add_bits(Operations& table, const std::string& type) {
  constexpr int bits = std::numeric_limits<U>::digits;
  const auto add = [&](const std::string& name, Operation operation) {
    table.emplace_back(name + "." + type, operation);
  };
  add("and", lanewise<U, U, U>([](U a, U b) { return static_cast<U>(a & b); }));
  add("or", lanewise<U, U, U>([](U a, U b) { return static_cast<U>(a | b); }));
  add("xor", lanewise<U, U, U>([](U a, U b) { return static_cast<U>(a ^ b); }));
  add("not", lanewise<U, U>([](U a) { return static_cast<U>(~a); }));
  add("shl",
      lanewise<U, U, std::uint32_t>([](U a, std::uint32_t by) { return by >= bits ? U{0} : static_cast<U>(a << by); }));
  add("shr",
      lanewise<U, U, std::uint32_t>([](U a, std::uint32_t by) { return by >= bits ? U{0} : static_cast<U>(a >> by); }));
  const auto equal = [](U a, U b) { return a == b; };
  const auto different = [](U a, U b) { return a != b; };
  table.emplace_back("setp.eq." + type, lanewise<bool, U, U>(equal));
  table.emplace_back("setp.ne." + type, lanewise<bool, U, U>(different));
  if constexpr (sizeof(U) >= 4) {
    add("popc", lanewise<std::uint32_t, U>([](U a) { return static_cast<std::uint32_t>(std::popcount(a)); }));
    add("clz", lanewise<std::uint32_t, U>([](U a) { return static_cast<std::uint32_t>(std::countl_zero(a)); }));
    add("brev", lanewise<U, U>([](U a) {
          U turned = 0;
          for (int i = 0; i < bits; ++i) turned |= (a >> i & 1U) << (bits - 1 - i);
          return turned;
        }));
  }
}

// mov and selp look at no type, only at its width.
template <class U>
void add_moves(Operations& table, std::initializer_list<const char*> types) {
  for (const std::string type : types) {
    table.emplace_back("mov." + type, lanewise<U, U>([](U a) { return a; }));
    table.emplace_back("selp." + type, lanewise<U, U, U, bool>([](U a, U b, bool first) { return first ? a : b; }));
  }
}

void add_predicates(Operations& table) {
  table.emplace_back("mov.pred", lanewise<bool, bool>([](bool a) { return a; }));
  table.emplace_back("not.pred", lanewise<bool, bool>([](bool a) { return !a; }));
  table.emplace_back("and.pred", lanewise<bool, bool, bool>([](bool a, bool b) { return a && b; }));
  table.emplace_back("or.pred", lanewise<bool, bool, bool>([](bool a, bool b) { return a || b; }));
  table.emplace_back("xor.pred", lanewise<bool, bool, bool>([](bool a, bool b) { return a != b; }));
}

using u32 = std::uint32_t;

// bytes of {b, a} by four selectors of three bits, whose fourth bit spreads the byte's sign
u32 permute(u32 a, u32 b, u32 selectors) {
  const std::uint64_t both = static_cast<std::uint64_t>(b) << 32U | a;
  u32 made = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const u32 selector = selectors >> (4 * i) & 15U;
    u32 byte = static_cast<u32>(both >> (8 * (selector & 7U))) & 255U;
    if ((selector & 8U) != 0) byte = (byte & 128U) != 0 ? 255U : 0;
    made |= byte << (8 * i);
  }
  return made;
}
u32 field(u32 a, u32 from, u32 count) {
  from &= 255U;
  count &= 255U;
  if (from >= 32 || count == 0) return 0;
  return a >> from & (count >= 32 ? ~0U : (1U << count) - 1);
}
// The first `count` bits of a in the place of those of b, from `from` on.
u32 inserted(u32 a, u32 b, u32 from, u32 count) {
  const u32 mask = field(~0U, 0, count);
  from &= 255U;
  if (from >= 32) return b;
  return (b & ~(mask << from)) | (a & mask) << from;
}
std::uint64_t joined(u32 low, u32 high) { return static_cast<std::uint64_t>(high) << 32U | low; }

void add_bit_fields(Operations& table) {
  table.emplace_back("activemask.b32",
                     Operation{[](Registers& registers, const Places& at, Mask active) {
                                 for_lanes(active, [&](int lane) { put<u32>(registers, at[0], lane, active); });
                               },
                               {File::narrow},
                               1});
  table.emplace_back("prmt.b32", lanewise<u32, u32, u32, u32>([](u32 a, u32 b, u32 c) { return permute(a, b, c); }));
  table.emplace_back("bfe.u32",
                     lanewise<u32, u32, u32, u32>([](u32 a, u32 from, u32 count) { return field(a, from, count); }));
  table.emplace_back("bfi.b32", lanewise<u32, u32, u32, u32, u32>(
                                    [](u32 a, u32 b, u32 from, u32 count) { return inserted(a, b, from, count); }));
  table.emplace_back("shf.l.wrap.b32", lanewise<u32, u32, u32, u32>([](u32 low, u32 high, u32 by) {
                       return static_cast<u32>((joined(low, high) << (by & 31U)) >> 32U);
                     }));
  table.emplace_back("shf.r.wrap.b32", lanewise<u32, u32, u32, u32>([](u32 low, u32 high, u32 by) {
                       return static_cast<u32>(joined(low, high) >> (by & 31U));
                     }));
}

}  // namespace

void add_integer_operations(Operations& table) {
  add_integer_arithmetic<std::uint16_t>(table, "u16");
  add_integer_arithmetic<std::int16_t>(table, "s16");
  add_integer_arithmetic<std::uint32_t>(table, "u32");
  add_integer_arithmetic<std::int32_t>(table, "s32");
  add_integer_arithmetic<std::uint64_t>(table, "u64");
  add_integer_arithmetic<std::int64_t>(table, "s64");
  add_bits<std::uint16_t>(table, "b16");
  add_bits<std::uint32_t>(table, "b32");
  add_bits<std::uint64_t>(table, "b64");
  add_moves<std::uint16_t>(table, {"b16", "u16", "s16"});
  add_moves<std::uint32_t>(table, {"b32", "u32", "s32", "f32"});
  add_moves<std::uint64_t>(table, {"b64", "u64", "s64", "f64"});
  add_predicates(table);
  add_bit_fields(table);
}

}  // namespace lockstep::ptx
