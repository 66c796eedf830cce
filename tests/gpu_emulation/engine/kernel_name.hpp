// Names of kernels. g++ and nvcc mangle a kernel in an unnamed namespace differently; what both names say is the same,
// so that a launch, which has a function's address, finds the kernel that nvcc made of it.
#pragma once

#include <string>

namespace lockstep::emulation {

// "kernel<8>" for the mangled name of void (anonymous namespace)::kernel<8>(float*).
std::string own_name(const std::string& mangled);

// The same for the function at that address, from the symbol table of the file that this program was started from.
// Throws KernelError where there is none: the file was stripped, or it is no function's.
std::string kernel_at(const void* function);

}  // namespace lockstep::emulation
