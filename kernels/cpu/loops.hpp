// How our own hot loops are built: for every x86-64 machine, and again for AVX2 and AVX-512, chosen when the program
// starts. No clone may change a result: sources with such loops are compiled with -ffp-contract=off, never with
// -ffast-math, and a sum names its partial sums itself, so that vectors change nothing but the speed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

// The choice is made by a resolver that runs before a sanitizer's start-up, which crashes TSan and blinds ASan.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || defined(__clang__)
#define LOCKSTEP_VECTOR_CLONES
#else
#define LOCKSTEP_VECTOR_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#endif

namespace lockstep::kernels::cpu {

constexpr std::size_t kLanes = 16;  // partial sums; the width of an AVX-512 register of floats

// Partial sums, added up in an order that does not depend on the machine.
template <class T>
T sum_of_lanes(T (&lanes)[kLanes]) {
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

// total[column] = sum over rows of x (rows, columns), in the order of the rows.
void sum_rows(const float* x, std::int64_t rows, std::int64_t columns, float* total);

}  // namespace lockstep::kernels::cpu
