// A kernel ready to run: its instructions decoded once, with registers as numbers and constants as registers of their
// own, so that running one is a switch and a loop over the lanes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/ptx/interpreter/lanes.hpp"
#include "tests/ptx/interpreter/text.hpp"

namespace lockstep::ptx {

enum class Kind : std::uint8_t {
  compute,
  pack,
  unpack,
  load,
  store,
  atomic,
  branch,
  branch_table,
  exit,
  barrier,
  collective,
  nothing
};
enum class Space : std::uint8_t { generic, global, shared, local, parameter };
enum class AtomicOperation : std::uint8_t { add, min, max, bit_and, bit_or, bit_xor, exchange, compare_and_swap };
enum class BarrierResult : std::uint8_t { none, count, any, all };
enum class Collective : std::uint8_t {
  synchronize,
  shuffle_up,
  shuffle_down,
  shuffle_xor,
  shuffle_index,
  any,
  all,
  ballot,
  match,
  sum,
  smallest,
  largest
};

// What executed instructions are counted as.
enum class Mix : std::uint8_t {
  integer,
  float32,
  float64,
  conversion,
  move,
  global,
  shared,
  other_memory,
  warp,
  barrier,
  branch
};
inline constexpr std::size_t mixes = 11;

// What moves between registers and memory.
struct Access {
  Space space = Space::generic;
  std::uint8_t bytes = 4;  // of one value
  std::uint8_t count = 1;  // values side by side
  bool is_signed = false;
  bool is_float = false;
  bool returns = false;  // an atomic operation's old value
  bool has_base = false;
  File base_file = File::wide;
  std::uint16_t base = 0;  // the register with the address
  std::int64_t offset = 0;
  AtomicOperation atomic = AtomicOperation::add;
};

// Registers by kind. compute: destination, sources. pack, unpack: four parts, then the whole. load, store: four values.
// atomic: destination, operands. barrier: destination, barrier, threads, predicate. collective: destination, source,
// two of a shuffle's, mask, flag. branch_table: index.
struct Instruction {
  Kind kind = Kind::nothing;
  Mix mix = Mix::integer;
  bool guarded = false;
  bool negated = false;
  std::uint16_t guard = 0;
  Compute compute = nullptr;
  Places at{};
  std::array<File, 6> files{};
  std::uint32_t target = 0;              // of a branch
  std::vector<std::uint32_t> targets{};  // of a branch table
  Access access{};
  Collective collective = Collective::synchronize;
  bool has_flag = false;  // a shuffle says whether its source was in range
  BarrierResult barrier_result = BarrierResult::none;
  bool has_threads = false;  // a barrier for some of the block's threads
};
inline constexpr std::uint16_t no_register = 0xFFFF;  // "_": the value goes nowhere

// What a thread reads without computing it: the first of its narrow registers, in this order.
inline constexpr std::array special_names = {
    "%tid.x",   "%tid.y",       "%tid.z",       "%ntid.x",      "%ntid.y",      "%ntid.z",
    "%ctaid.x", "%ctaid.y",     "%ctaid.z",     "%nctaid.x",    "%nctaid.y",    "%nctaid.z",
    "%laneid",  "%lanemask_eq", "%lanemask_lt", "%lanemask_le", "%lanemask_gt", "%lanemask_ge"};
inline constexpr std::size_t ctaid = 6;  // where %ctaid.x is

struct Parameter {
  std::size_t offset = 0;
  std::size_t bytes = 0;
};

struct Program {
  KernelText text;
  std::vector<Instruction> code;  // one for each statement of the text
  Registers registers;            // as every warp starts: constants in their places, zeros elsewhere
  std::vector<Parameter> parameters;
  std::size_t parameter_bytes = 0;
  std::size_t shared_bytes = 0;  // static; dynamic shared memory follows
  std::size_t local_bytes = 0;   // of a thread

  // "softmax.cu:35, softmax.ptx:123: `add.s32 %r1, %r2, %r3`"
  std::string place_of(std::size_t instruction) const;
};

// Throws emulation::KernelError, with the line, for what this interpreter does not know.
std::unique_ptr<Program> decode(const KernelText& text);

// Generic addresses say in their upper bits which space they mean; global ones are the host's own.
inline constexpr std::uint64_t shared_window = std::uint64_t{1} << 60U;
inline constexpr std::uint64_t local_window = std::uint64_t{1} << 61U;
inline constexpr std::uint64_t parameter_window = std::uint64_t{1} << 62U;

}  // namespace lockstep::ptx
