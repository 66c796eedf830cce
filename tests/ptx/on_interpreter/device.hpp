// The CUDA back-end over the interpreter.
#pragma once

#include "kernels/kernels.hpp"
#include "tests/ptx/interpreter/interpreter.hpp"

namespace lockstep::ptx {

// Has the kernels of the program's PTX files; make_device() lets it run what streams bring.
Interpreter& interpreter();
std::unique_ptr<kernels::Device> make_device();

}  // namespace lockstep::ptx
