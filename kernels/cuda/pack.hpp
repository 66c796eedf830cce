// Elements as kernels move them: up to 16 bytes an access, float32 in registers whatever lies in memory.
#pragma once

#include <cstdint>

#include "kernels/bf16.hpp"
#include "kernels/cuda/launch.hpp"

namespace lockstep::kernels::cuda {

template <class T, int n>
struct alignas(n * sizeof(T) < 16 ? n * sizeof(T) : 16) Pack {
  T value[n];
};

template <class T>
inline constexpr int whole_pack = 16 / static_cast<int>(sizeof(T));

template <class T, class... Pointers>
bool aligned_for_packs(const T* first, const Pointers*... others) {
  return reinterpret_cast<std::uintptr_t>(first) % 16 == 0 &&
         ((reinterpret_cast<std::uintptr_t>(others) % 16 == 0) && ...);
}
// Whether the rows of all these matrices may be taken in whole packs of T. A null pointer is no matrix.
template <class T, class... Pointers>
bool rows_in_packs(std::int64_t columns, const T* first, const Pointers*... others) {
  return columns % whole_pack<T> == 0 && aligned_for_packs(first, others...);
}

// The index-th pack of `from`, which begins at a multiple of the pack's size.
template <int n, class T>
__device__ Pack<T, n> pack_at(const T* from, std::int64_t index) {
  return reinterpret_cast<const Pack<T, n>*>(from)[index];
}
template <int n, class T>
__device__ void put_pack(T* to, std::int64_t index, const Pack<T, n>& pack) {
  reinterpret_cast<Pack<T, n>*>(to)[index] = pack;
}

__device__ inline float widened(float value) { return value; }
__device__ inline float widened(Bf16 value) { return to_f32(value); }
template <class T>
__device__ T rounded(float value) {
  if constexpr (sizeof(T) == sizeof(Bf16)) {
    return to_bf16(value);
  } else {
    return value;
  }
}

// n floats in shared memory, at `at`. Of eight, half the lanes move the second four first: so the lanes of a quarter
// warp, 32 bytes apart, meet in no bank.
template <int n>
__device__ Pack<float, n> kept_at(const float* at) {
  if constexpr (n <= 4) {
    return pack_at<n>(at, 0);
  } else {
    static_assert(n == 8);
    const int swap = static_cast<int>(threadIdx.x / 4 % 2);
    const Pack<float, 4> first = pack_at<4>(at, swap);
    const Pack<float, 4> second = pack_at<4>(at, 1 - swap);
    Pack<float, 8> both;
    for (int k = 0; k < 4; ++k) {
      both.value[k] = swap == 0 ? first.value[k] : second.value[k];
      both.value[4 + k] = swap == 0 ? second.value[k] : first.value[k];
    }
    return both;
  }
}
template <int n>
__device__ void keep(float* at, const Pack<float, n>& pack) {
  if constexpr (n <= 4) {
    put_pack<n>(at, 0, pack);
  } else {
    static_assert(n == 8);
    const int swap = static_cast<int>(threadIdx.x / 4 % 2);
    Pack<float, 4> first;
    Pack<float, 4> second;
    for (int k = 0; k < 4; ++k) {
      first.value[k] = swap == 0 ? pack.value[k] : pack.value[4 + k];
      second.value[k] = swap == 0 ? pack.value[4 + k] : pack.value[k];
    }
    put_pack<4>(at, swap, first);
    put_pack<4>(at, 1 - swap, second);
  }
}

}  // namespace lockstep::kernels::cuda
