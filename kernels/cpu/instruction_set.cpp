#include "kernels/instruction_set.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <dnnl.hpp>

#include "common/error.hpp"

namespace lockstep::kernels {

namespace {
struct Known {
  InstructionSet set;
  const char* name;
  dnnl::cpu_isa for_dnnl;
};
constexpr std::array<Known, 4> all = {{{InstructionSet::sse41, "sse41", dnnl::cpu_isa::sse41},
                                       {InstructionSet::avx, "avx", dnnl::cpu_isa::avx},
                                       {InstructionSet::avx2, "avx2", dnnl::cpu_isa::avx2},
                                       {InstructionSet::avx512_core, "avx512_core", dnnl::cpu_isa::avx512_core}}};

const Known& known(InstructionSet set) { return all.at(static_cast<std::size_t>(set)); }

// What oneDNN uses now. Asking fixes it for the rest of the process.
std::optional<InstructionSet> set_in_use() {
  const auto bits = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  std::optional<InstructionSet> highest;
  for (const Known& each : all) {
    const auto needed = static_cast<unsigned>(each.for_dnnl);
    if ((bits & needed) == needed) highest = each.set;
  }
  return highest;
}

// A variable of oneDNN's in either of its spellings, in small letters; empty where it is not set.
struct Variable {
  std::string name;
  std::string value;
};
Variable variable(const std::string& name) {
  for (const char* prefix : {"ONEDNN_", "DNNL_"}) {
    const char* const given = std::getenv((prefix + name).c_str());
    if (given == nullptr || *given == '\0') continue;
    std::string value = given;
    std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
    return {prefix + name, value};
  }
  return {};
}

// They change how float32 is rounded, and nothing that a run records would show it.
void expect_plain_rounding() {
  for (const auto& [name, harmless] : {std::pair{"DEFAULT_FPMATH_MODE", "strict"}, {"CPU_ISA_HINTS", "no_hints"}}) {
    const Variable set = variable(name);
    if (set.value.empty() || set.value == harmless) continue;
    throw bad_input("{}={} in the environment would change what is computed, unrecorded: unset it", set.name,
                    set.value);
  }
}
}  // namespace

std::string name_of(InstructionSet set) { return known(set).name; }

std::optional<InstructionSet> instruction_set_named(std::string_view name) {
  const auto* const found = std::find_if(all.begin(), all.end(), [&](const Known& each) { return each.name == name; });
  return found == all.end() ? std::nullopt : std::optional(found->set);
}

// By the compiler's own look at the CPU: oneDNN's would fix its choice. avx512_core is F, BW, DQ and VL, as oneDNN has
// it.
InstructionSet instruction_set_of_this_cpu() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse4.1") == 0)
    throw failure("this CPU has no SSE4.1, which is the least to compute with");
  if (__builtin_cpu_supports("avx") == 0) return InstructionSet::sse41;
  if (__builtin_cpu_supports("avx2") == 0) return InstructionSet::avx;
  const bool wide = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                    __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  return wide ? InstructionSet::avx512_core : InstructionSet::avx2;
}

std::optional<InstructionSet> instruction_set_of_environment() {
  const Variable set = variable("MAX_CPU_ISA");
  if (set.value.empty() || set.value == "all") return std::nullopt;
  if (const auto named = instruction_set_named(set.value)) return named;
  if (set.value == "avx2_vnni") return InstructionSet::avx2;
  if (set.value.starts_with("avx512_core_")) return InstructionSet::avx512_core;
  throw bad_input("{}={} in the environment: not understood; unset it and give --isa", set.name, set.value);
}

void use_instruction_set(InstructionSet set) {
  expect_plain_rounding();
  const bool accepted = dnnl_set_max_cpu_isa(static_cast<dnnl_cpu_isa_t>(known(set).for_dnnl)) == dnnl_success;
  if (const auto used = set_in_use(); used != set) {
    throw failure("oneDNN computes with {}, not with {}{}", used ? name_of(*used) : "less than sse41", name_of(set),
                  accepted ? "" : ": it was used before that was asked for");
  }
}

}  // namespace lockstep::kernels
