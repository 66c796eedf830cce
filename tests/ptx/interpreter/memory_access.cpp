#include "tests/ptx/interpreter/memory_access.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace lockstep::ptx {

// What a warp asked for at once.
struct MemoryAccess::Request {
  std::array<std::uint64_t, lanes> sectors{};  // different ones
  std::size_t sector_count = 0;
  std::array<std::uint32_t, lanes> shared{};  // the first word of each lane that came
  std::array<std::uint8_t, lanes> shared_lanes{};
  std::size_t shared_count = 0;
  std::size_t words = 1;  // of each lane

  void add_sector(std::uint64_t sector) {
    const auto end = sectors.begin() + static_cast<std::ptrdiff_t>(sector_count);
    if (sector_count > 0 && *(end - 1) == sector) return;
    if (std::find(sectors.begin(), end, sector) == end) sectors[sector_count++] = sector;
  }
};

MemoryAccess::MemoryAccess(GlobalMemory& global, std::vector<std::byte> parameters, std::size_t shared_bytes,
                           std::size_t local_bytes, unsigned threads, std::uint64_t first_block, Counts& counts)
    : global_(global),
      parameters_(std::move(parameters)),
      shared_(shared_bytes),
      shared_shadow_(shared_bytes),
      local_(local_bytes * threads),
      local_bytes_(local_bytes),
      first_block_(first_block),
      counts_(counts) {}

void MemoryAccess::begin_block(std::uint64_t number) {
  now_ = {};
  now_.block = number;
}

// --- where an address leads ---

static const char* name_of(Touch how) { return how == Touch::read ? "read" : "write"; }

void MemoryAccess::check_order(const Conflict& conflict, Touch how, int lane, const char* where) const {
  if (!conflict.found) return;
  const Stamp& other = conflict.other;
  const std::string who = other.block == now_.block
                              ? fmt::format("thread {}", other.thread)
                              : fmt::format("thread {} of block {}", other.thread, other.block - first_block_);
  throw Fault{lane, fmt::format("a race on {} memory: this {} has no order with the {} of {}", where, name_of(how),
                                conflict.with_writer ? "write" : "read", who)};
}

std::byte* MemoryAccess::in_global(std::uint64_t address, std::size_t bytes, Touch how, int lane, Request& request) {
  Allocation* found = global_.nearest(address);
  const std::uint64_t offset = found == nullptr ? 0 : address - found->begin;
  if (found == nullptr || offset + bytes > found->bytes) {
    const std::string where = found == nullptr ? "before all allocations"
                                               : fmt::format("{} bytes past the end of an allocation of {}",
                                                             offset + bytes - found->bytes, found->bytes);
    throw Fault{lane, fmt::format("global memory out of bounds: a {} of {} bytes, {}", name_of(how), bytes, where)};
  }
  std::uint64_t& fresh = how == Touch::read ? counts_.bytes_read : counts_.bytes_written;
  check_order(found->shadow->touch(offset, bytes, how, now_, first_block_, fresh), how, lane, "global");
  request.add_sector(address - offset % sector_bytes);
  return reinterpret_cast<std::byte*>(address);
}

std::byte* MemoryAccess::in_shared(std::uint64_t address, std::size_t bytes, Touch how, int lane, Request& request) {
  if (address > shared_.size() || address + bytes > shared_.size()) {
    throw Fault{lane, fmt::format("shared memory out of bounds: a {} of {} bytes at {}, of {}", name_of(how), bytes,
                                  static_cast<std::int64_t>(address), shared_.size())};
  }
  const bool reads = how == Touch::read || now_.atomic != 0;
  if (reads && !shared_shadow_.was_written(address, bytes, now_.block)) {
    throw Fault{lane, fmt::format("shared memory at {} is read, and no thread of the block has written it", address)};
  }
  std::uint64_t fresh = 0;
  check_order(shared_shadow_.touch(address, bytes, how, now_, now_.block, fresh), how, lane, "shared");
  request.shared_lanes[request.shared_count] = static_cast<std::uint8_t>(lane);
  request.shared[request.shared_count++] = static_cast<std::uint32_t>(address / 4);
  return shared_.data() + address;
}

std::byte* MemoryAccess::find(const Warp& warp, const Access& access, int lane, Touch how, Request& request) {
  std::uint64_t address = static_cast<std::uint64_t>(access.offset);
  if (access.has_base) {
    address += access.base_file == File::wide ? get<std::uint64_t>(warp.registers, access.base, lane)
                                              : get<std::uint32_t>(warp.registers, access.base, lane);
  }
  const std::size_t bytes = std::size_t{access.bytes} * access.count;
  if (address % bytes != 0) throw Fault{lane, fmt::format("{:#x} is no multiple of {} bytes", address, bytes)};
  now_.thread = warp.first_thread + static_cast<unsigned>(lane);
  now_.sync = warp.syncs;
  Space space = access.space;
  if (space == Space::generic) {
    space = (address & shared_window) != 0      ? Space::shared
            : (address & local_window) != 0     ? Space::local
            : (address & parameter_window) != 0 ? Space::parameter
                                                : Space::global;
    if (space != Space::global) address &= ~(shared_window | local_window | parameter_window);
  }
  switch (space) {
    case Space::shared:
      return in_shared(address, bytes, how, lane, request);
    case Space::local:
      if (address + bytes > local_bytes_) throw Fault{lane, fmt::format("local memory out of bounds: {}", address)};
      return local_.data() + now_.thread * local_bytes_ + address;
    case Space::parameter:
      if (address + bytes > parameters_.size() || how == Touch::write) throw Fault{lane, "no place in the parameters"};
      return parameters_.data() + address;
    default:
      return in_global(address, bytes, how, lane, request);
  }
}

void MemoryAccess::count(const Request& request) {
  if (request.sector_count > 0) {
    ++counts_.requests;
    counts_.sectors += request.sector_count;
  }
  if (request.shared_count == 0) return;
  const auto lanes_at_once = static_cast<std::uint8_t>(lanes / request.words);
  std::array<std::uint32_t, lanes> words;
  std::size_t different = 0;
  for (std::size_t i = 0; i < request.shared_count;) {
    const int group = request.shared_lanes[i] / lanes_at_once;
    std::size_t count = 0;
    for (; i < request.shared_count && request.shared_lanes[i] / lanes_at_once == group; ++i) {
      for (std::uint32_t k = 0; k < request.words; ++k) words[count++] = request.shared[i] + k;
    }
    const auto end = words.begin() + static_cast<std::ptrdiff_t>(count);
    std::sort(words.begin(), end);
    const auto last = std::unique(words.begin(), end);
    different += static_cast<std::size_t>(last - words.begin());
    std::array<std::uint8_t, lanes> of_banks{};
    std::for_each(words.begin(), last, [&](std::uint32_t each) { ++of_banks[each % lanes]; });
    counts_.shared_passes += *std::ranges::max_element(of_banks);
  }
  counts_.fewest_passes += (different + lanes - 1) / lanes;
}

// --- moving values ---

static std::uint64_t bits_at(const std::byte* from, std::size_t bytes) {
  const auto as = [from]<class T>(T value) {
    std::memcpy(&value, from, sizeof value);
    return static_cast<std::uint64_t>(value);
  };
  switch (bytes) {
    case 1:
      return as(std::uint8_t{});
    case 2:
      return as(std::uint16_t{});
    case 4:
      return as(std::uint32_t{});
    default:
      return as(std::uint64_t{});
  }
}
static std::uint64_t with_sign(std::uint64_t bits, std::size_t bytes) {
  const std::size_t unused = 64 - 8 * bytes;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(bits << unused) >> unused);
}
static void put_bits(Registers& registers, File file, std::uint16_t at, int lane, std::uint64_t bits) {
  if (file == File::wide) {
    put(registers, at, lane, bits);
  } else {
    put(registers, at, lane, static_cast<std::uint32_t>(bits));
  }
}
static std::uint64_t bits_of(const Registers& registers, File file, std::uint16_t at, int lane) {
  return file == File::wide ? get<std::uint64_t>(registers, at, lane) : get<std::uint32_t>(registers, at, lane);
}

static std::size_t words_of(const Access& access) { return std::max<std::size_t>(1, access.bytes * access.count / 4); }

void MemoryAccess::load(Warp& warp, const Instruction& instruction, Mask active) {
  const Access& access = instruction.access;
  Request request{.words = words_of(access)};
  for_lanes(active, [&](int lane) {
    const std::byte* from = find(warp, access, lane, Touch::read, request);
    for (std::size_t k = 0; k < access.count; ++k) {
      if (instruction.at[k] == no_register) continue;
      std::uint64_t bits = bits_at(from + k * access.bytes, access.bytes);
      if (access.is_signed) bits = with_sign(bits, access.bytes);
      put_bits(warp.registers, instruction.files[k], instruction.at[k], lane, bits);
    }
  });
  count(request);
}

void MemoryAccess::store(Warp& warp, const Instruction& instruction, Mask active) {
  const Access& access = instruction.access;
  Request request{.words = words_of(access)};
  for_lanes(active, [&](int lane) {
    std::byte* to = find(warp, access, lane, Touch::write, request);
    for (std::size_t k = 0; k < access.count; ++k) {
      const std::uint64_t bits = bits_of(warp.registers, instruction.files[k], instruction.at[k], lane);
      std::memcpy(to + k * access.bytes, &bits, access.bytes);
    }
  });
  count(request);
}

static std::uint64_t sum_of(const Access& access, std::uint64_t a, std::uint64_t b) {
  if (!access.is_float) return a + b;
  if (access.bytes == 8) return std::bit_cast<std::uint64_t>(std::bit_cast<double>(a) + std::bit_cast<double>(b));
  const auto narrow = [](std::uint64_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits)); };
  return std::bit_cast<std::uint32_t>(narrow(a) + narrow(b));
}
static bool is_less(const Access& access, std::uint64_t a, std::uint64_t b) {
  if (!access.is_signed) return a < b;
  return static_cast<std::int64_t>(with_sign(a, access.bytes)) < static_cast<std::int64_t>(with_sign(b, access.bytes));
}
static std::uint64_t result_of(const Access& access, std::uint64_t old, std::uint64_t b, std::uint64_t c) {
  switch (access.atomic) {
    case AtomicOperation::add:
      return sum_of(access, old, b);
    case AtomicOperation::min:
      return is_less(access, b, old) ? b : old;
    case AtomicOperation::max:
      return is_less(access, old, b) ? b : old;
    case AtomicOperation::bit_and:
      return old & b;
    case AtomicOperation::bit_or:
      return old | b;
    case AtomicOperation::bit_xor:
      return old ^ b;
    case AtomicOperation::exchange:
      return b;
    case AtomicOperation::compare_and_swap:
      return old == b ? c : old;
  }
  return old;
}

void MemoryAccess::atomic(Warp& warp, const Instruction& instruction, Mask active) {
  const Access& access = instruction.access;
  const File file = access.bytes == 8 ? File::wide : File::narrow;
  Request request{.words = words_of(access)};
  now_.atomic = 1;
  for_lanes(active, [&](int lane) {
    std::byte* at = find(warp, access, lane, Touch::write, request);
    const std::uint64_t old = bits_at(at, access.bytes);
    const std::uint64_t made = result_of(access, old, bits_of(warp.registers, file, instruction.at[1], lane),
                                         bits_of(warp.registers, file, instruction.at[2], lane));
    std::memcpy(at, &made, access.bytes);
    if (access.returns) put_bits(warp.registers, file, instruction.at[0], lane, old);
  });
  now_.atomic = 0;
  count(request);
}

}  // namespace lockstep::ptx
