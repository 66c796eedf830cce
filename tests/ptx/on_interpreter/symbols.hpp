// Names of this program's own functions. g++ and nvcc mangle a kernel in an unnamed namespace differently; what both
// names say is the same, so that a launch, which has a function's address, finds the kernel that nvcc made of it.
#pragma once

#include <string>

namespace lockstep::ptx {

// The mangled name of the function at that address, from the symbol table of the file that this program was started
// from. Throws emulation::KernelError where there is none: the file was stripped, or it is no function's.
std::string symbol_at(const void* function);

}  // namespace lockstep::ptx
