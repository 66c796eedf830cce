// Which of the CPU's instructions the kernels compute with. What oneDNN computes depends on it in the last bits; our
// own loops do not (kernels/cpu/loops.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lockstep::kernels {

// By oneDNN's names, each with all before it. It knows more (avx2_vnni, avx512_core_vnni, _bf16, _amx), which float32
// has no use for: a CPU that has those counts as avx2 or avx512_core here, and gives the same bits as others of that
// kind.
enum class InstructionSet { sse41, avx, avx2, avx512_core };

std::string name_of(InstructionSet set);
std::optional<InstructionSet> instruction_set_named(std::string_view name);

// The highest that this CPU and its operating system have. Throws failure where it is none of them.
InstructionSet instruction_set_of_this_cpu();

// What oneDNN's own variable ONEDNN_MAX_CPU_ISA (or DNNL_MAX_CPU_ISA) allows; none where it is not set. Throws
// bad_input for a value that is not understood.
std::optional<InstructionSet> instruction_set_of_environment();

// For the whole process, before anything is planned: later only the same again. Throws failure when that is not what is
// used from then on, bad_input when a variable of oneDNN's asks for other rounding (docs/kernels.md).
void use_instruction_set(InstructionSet set);

}  // namespace lockstep::kernels
