// Static shared memory of kernels, as GPU_SHARED makes it.
#pragma once

#include <cstddef>
#include <cstdlib>

#include "tests/gpu_emulation/engine/engine.hpp"

namespace lockstep::emulation {

void fill_static_shared();  // with NaN, all that was registered by this OS thread

// On the heap and of the exact size, so that ASan sees the first byte past it, in templates too.
template <class T, std::size_t count>
class SharedArray {
 public:
  SharedArray() { register_shared(memory_, count * sizeof(T)); }
  ~SharedArray() { std::free(memory_); }
  SharedArray(const SharedArray&) = delete;
  SharedArray& operator=(const SharedArray&) = delete;
  T (&array())[count] { return *static_cast<T(*)[count]>(memory_); }

 private:
  void* memory_ = std::malloc(count * sizeof(T));
};

}  // namespace lockstep::emulation
