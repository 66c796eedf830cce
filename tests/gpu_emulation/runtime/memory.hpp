// Device and pinned memory of the stand-in: every allocation is known, starts as NaN, and is fenced. Without ASan it
// ends at a page that nobody may touch, and stays untouchable after it was freed; with ASan its red zones do both
// better.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace lockstep::emulation {

enum class MemoryKind { device, pinned };

class MemoryBook {
 public:
  ~MemoryBook();
  void* allocate(MemoryKind kind, std::size_t bytes);
  bool release(MemoryKind kind, void* memory);  // false: it is no allocation of that kind, or was released before

  // Whether [begin, begin + bytes) lies in one allocation of that kind.
  bool holds(MemoryKind kind, const void* begin, std::size_t bytes) const;
  bool touches(MemoryKind kind, const void* begin) const;

  std::vector<std::span<const std::byte>> allocations() const;  // of both kinds, by address
  std::size_t bytes_in_use(MemoryKind kind) const;
  std::size_t count(MemoryKind kind) const;
  void set_limit(std::size_t device_bytes);  // allocate gives null beyond it
  std::size_t limit() const { return limit_; }

 private:
  struct Block {
    MemoryKind kind = MemoryKind::device;
    std::size_t bytes = 0;
    void* mapping = nullptr;  // null with ASan
    std::size_t mapping_bytes = 0;
  };
  std::map<const char*, Block>::const_iterator find(const void* begin) const;

  mutable std::mutex mutex_;
  std::map<const char*, Block> blocks_;
  std::map<void*, std::size_t> quarantine_;  // mappings that were released and stay fenced off
  std::size_t limit_ = std::size_t{16} << 30U;
};
MemoryBook& memory();

}  // namespace lockstep::emulation
