// Floats for hot loops: 64-byte aligned, allocated once, every page touched before anything is timed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace lockstep::runner {

class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::size_t count) : floats_(allocate(count)), count_(count) {
    std::fill_n(floats_.get(), count, 0.0F);
  }

  float* data() { return floats_.get(); }
  const float* data() const { return floats_.get(); }
  std::size_t size() const { return count_; }
  std::span<float> span() { return {floats_.get(), count_}; }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(float* floats) const { ::operator delete[](floats, alignment); }
  };
  static std::unique_ptr<float[], Free> allocate(std::size_t count) {
    return std::unique_ptr<float[], Free>(static_cast<float*>(::operator new[](count * sizeof(float), alignment)));
  }

  std::unique_ptr<float[], Free> floats_;
  std::size_t count_ = 0;
};

}  // namespace lockstep::runner
