#include "tests/gpu_emulation/runtime/memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>

namespace lockstep::emulation {

MemoryBook& memory() {
  static MemoryBook book;
  return book;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static constexpr bool fenced_by_sanitizer = true;  // TSan follows malloc and free, too
#else
static constexpr bool fenced_by_sanitizer = false;
#endif

// What cudaMalloc gives begins at a multiple of 256. An allocation that ends at the fence can't always; the kernels'
// widest accesses are 16 bytes.
static constexpr std::size_t alignment = 16;

MemoryBook::~MemoryBook() {
  for (const auto& [mapping, bytes] : quarantine_) ::munmap(mapping, bytes);
}

void* MemoryBook::allocate(MemoryKind kind, std::size_t bytes) {
  if (kind == MemoryKind::device && bytes_in_use(kind) + bytes > limit_) return nullptr;
  Block block{kind, bytes, nullptr, 0};
  void* begin = nullptr;
  if (fenced_by_sanitizer) {
    begin = std::malloc(std::max<std::size_t>(bytes, 1));
  } else {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t room = (bytes + alignment - 1) / alignment * alignment;
    const std::size_t usable = std::max(page, (room + page - 1) / page * page);
    block.mapping_bytes = usable + page;
    block.mapping = ::mmap(nullptr, block.mapping_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block.mapping == MAP_FAILED) return nullptr;
    char* fence = static_cast<char*>(block.mapping) + usable;
    ::mprotect(fence, page, PROT_NONE);
    begin = fence - room;
  }
  std::memset(begin, 0xFF, bytes);
  const std::lock_guard lock(mutex_);
  blocks_.emplace(static_cast<const char*>(begin), block);
  return begin;
}

bool MemoryBook::release(MemoryKind kind, void* begin) {
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.find(static_cast<const char*>(begin));
  if (found == blocks_.end() || found->second.kind != kind) return false;
  const Block block = found->second;
  blocks_.erase(found);
  if (block.mapping == nullptr) {
    std::free(begin);
  } else {
    // The pages go back, the addresses don't: a late access must not find another tensor there.
    ::madvise(block.mapping, block.mapping_bytes, MADV_DONTNEED);
    ::mprotect(block.mapping, block.mapping_bytes, PROT_NONE);
    quarantine_.emplace(block.mapping, block.mapping_bytes);
  }
  return true;
}

std::map<const char*, MemoryBook::Block>::const_iterator MemoryBook::find(const void* begin) const {
  const auto* at = static_cast<const char*>(begin);
  auto after = blocks_.upper_bound(at);
  if (after == blocks_.begin()) return blocks_.end();
  --after;
  return at < after->first + std::max<std::size_t>(after->second.bytes, 1) ? after : blocks_.end();
}

bool MemoryBook::holds(MemoryKind kind, const void* begin, std::size_t bytes) const {
  const std::lock_guard lock(mutex_);
  const auto found = find(begin);
  return found != blocks_.end() && found->second.kind == kind &&
         static_cast<const char*>(begin) + bytes <= found->first + found->second.bytes;
}

bool MemoryBook::touches(MemoryKind kind, const void* begin) const {
  const std::lock_guard lock(mutex_);
  const auto found = find(begin);
  return found != blocks_.end() && found->second.kind == kind;
}

std::vector<std::span<const std::byte>> MemoryBook::allocations() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::span<const std::byte>> all;
  for (const auto& [begin, block] : blocks_) all.emplace_back(reinterpret_cast<const std::byte*>(begin), block.bytes);
  return all;
}

std::size_t MemoryBook::bytes_in_use(MemoryKind kind) const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [begin, block] : blocks_) sum += block.kind == kind ? block.bytes : 0;
  return sum;
}

std::size_t MemoryBook::count(MemoryKind kind) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(blocks_.begin(), blocks_.end(), [&](const auto& each) { return each.second.kind == kind; }));
}

void MemoryBook::set_limit(std::size_t device_bytes) { limit_ = device_bytes; }

}  // namespace lockstep::emulation
