// The emulator's planted kernels, right ones and wrong ones, for nvcc.
#include "tests/gpu_emulation/planted_kernels.hpp"

namespace lockstep::emulation {

template __global__ void double_all<Bug::none>(const float*, float*, int);
template __global__ void double_all<Bug::no_guard>(const float*, float*, int);
template __global__ void sum_blocks<Bug::none>(const float*, float*, int);
template __global__ void sum_blocks<Bug::no_barrier>(const float*, float*, int);
template __global__ void sum_blocks<Bug::shared_out_of_bounds>(const float*, float*, int);
template __global__ void sum_blocks<Bug::wrong_mask>(const float*, float*, int);
template __global__ void sum_blocks<Bug::divergent_barrier>(const float*, float*, int);
template __global__ void sum_blocks<Bug::uninitialised_shared>(const float*, float*, int);
template __global__ void sum_blocks<Bug::wrong_distance>(const float*, float*, int);
template __global__ void transpose<Bug::none>(const float*, float*, int);
template __global__ void transpose<Bug::no_second_barrier>(const float*, float*, int);
template __global__ void count_values<Bug::none>(const int*, unsigned*, int);
template __global__ void count_values<Bug::not_atomic>(const int*, unsigned*, int);
template __global__ void reverse_warps<Bug::none>(const float*, float*);
template __global__ void reverse_warps<Bug::no_warp_barrier>(const float*, float*);
template __global__ void add_one<Bug::none>(float*, int);
template __global__ void add_one<Bug::wrong_stride>(float*, int);

}  // namespace lockstep::emulation
