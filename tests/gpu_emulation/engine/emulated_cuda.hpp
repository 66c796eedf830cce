// The CUDA C++ that kernels are written in, for a compiler that knows none of it: kernels/cuda/launch.hpp includes this
// where nvcc's own language is not there. Types and host functions come from NVIDIA's headers.
#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>

#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/gpu_emulation/engine/shared_memory.hpp"

// NOLINTBEGIN(bugprone-reserved-identifier,bugprone-macro-parentheses): the language's own names
#undef __launch_bounds__
#define __launch_bounds__(...)
#define __restrict__ __restrict

#define threadIdx (::lockstep::emulation::here().thread)
#define blockIdx (::lockstep::emulation::here().block)
#define blockDim (::lockstep::emulation::here().block_dim)
#define gridDim (::lockstep::emulation::here().grid_dim)
#define warpSize 32

#ifdef LOCKSTEP_EMULATION_TSAN  // no constructor may run inside a CUDA thread: TSan would call it a race
#define GPU_SHARED(T, name, count) static thread_local T name[count]
#else
#define GPU_SHARED(T, name, count)                                                    \
  static thread_local ::lockstep::emulation::SharedArray<T, (count)> name##_of_block; \
  T(&name)[count] = name##_of_block.array()
#endif
#define DYN_SHARED(T, name) T* const name = static_cast<T*>(::lockstep::emulation::dynamic_shared())

namespace lockstep::emulation {

template <class T>
std::uint64_t to_bits(T value) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}
template <class T>
T shuffle(unsigned mask, T value, unsigned source_lane, Site site) {
  const std::uint64_t bits = warp_collective(WarpOperation::shuffle, mask, to_bits(value), source_lane, site);
  T result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}
inline unsigned segment_of(unsigned lane, int width) { return lane & ~static_cast<unsigned>(width - 1); }

}  // namespace lockstep::emulation

inline void __syncthreads(lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  lockstep::emulation::block_barrier(0, site);
}
inline int __syncthreads_count(int predicate, lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  return lockstep::emulation::block_barrier(predicate != 0 ? 1 : 0, site);
}
inline int __syncthreads_or(int predicate, lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  return __syncthreads_count(predicate, site) != 0 ? 1 : 0;
}
inline void __syncwarp(unsigned mask = ~0U, lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  lockstep::emulation::warp_collective(lockstep::emulation::WarpOperation::synchronize, mask, 0, 0, site);
}
inline unsigned __ballot_sync(unsigned mask, int predicate,
                              lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  return static_cast<unsigned>(lockstep::emulation::warp_collective(lockstep::emulation::WarpOperation::ballot, mask,
                                                                    predicate != 0 ? 1 : 0, 0, site));
}
inline int __any_sync(unsigned mask, int predicate,
                      lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  return __ballot_sync(mask, predicate, site) != 0 ? 1 : 0;
}
inline int __all_sync(unsigned mask, int predicate,
                      lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  return __ballot_sync(mask, predicate, site) == mask ? 1 : 0;
}
template <class T>
unsigned __match_any_sync(unsigned mask, T value,
                          lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  return static_cast<unsigned>(lockstep::emulation::warp_collective(lockstep::emulation::WarpOperation::match, mask,
                                                                    lockstep::emulation::to_bits(value), 0, site));
}

// A lane outside the segment of `width` lanes: the caller's own value (CUDA C++ programming guide, 10.22).
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize,
              lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  const unsigned lane = lockstep::emulation::here().lane;
  const unsigned from = lockstep::emulation::segment_of(lane, width) | static_cast<unsigned>(source & (width - 1));
  return lockstep::emulation::shuffle(mask, value, from, site);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int distance, int width = warpSize,
                  lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  const unsigned lane = lockstep::emulation::here().lane;
  const unsigned from = lane ^ static_cast<unsigned>(distance);
  const bool inside = from < lockstep::emulation::segment_of(lane, width) + static_cast<unsigned>(width);
  return lockstep::emulation::shuffle(mask, value, inside ? from : lane, site);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = warpSize,
                   lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  const unsigned lane = lockstep::emulation::here().lane;
  const unsigned from = lane + distance;
  const bool inside = from < lockstep::emulation::segment_of(lane, width) + static_cast<unsigned>(width);
  return lockstep::emulation::shuffle(mask, value, inside ? from : lane, site);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = warpSize,
                 lockstep::emulation::Site site = lockstep::emulation::Site::current()) {
  const unsigned lane = lockstep::emulation::here().lane;
  const bool inside = lane >= lockstep::emulation::segment_of(lane, width) + distance;
  return lockstep::emulation::shuffle(mask, value, inside ? lane - distance : lane, site);
}

inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void __threadfence_block() { __threadfence(); }
template <class T>
T __ldg(const T* from) {
  return *from;
}
template <class T>
T atomicAdd(T* to, T value) {
  return std::atomic_ref<T>(*to).fetch_add(value, std::memory_order_relaxed);
}
inline float rsqrtf(float x) { return 1.0F / std::sqrt(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<unsigned long long>(a) * b) >> 32U);
}
// NOLINTEND(bugprone-reserved-identifier,bugprone-macro-parentheses)
