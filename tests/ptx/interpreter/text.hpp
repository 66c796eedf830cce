// PTX as text: the kernels of a file, their parameters, registers and memory, and their statements in order, split into
// guard, opcode and operands. Nothing is understood here but the grammar that nvcc writes (PTX ISA 9.0, chapter 4).
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::ptx {

struct Variable {
  std::string name;
  std::size_t alignment = 1;
  std::size_t bytes = 0;  // 0: dynamic shared memory, whose size the launch says
};

struct Statement {
  std::string guard;  // a predicate register; empty: always
  bool negated = false;
  std::string opcode;
  std::vector<std::string> operands;
  std::string text;   // as it was written
  int line = 0;       // of the PTX file
  std::string place;  // "file:line" in the CUDA source; empty without -lineinfo
};

struct KernelText {
  std::string mangled;
  std::string name;  // the kernel's own: without namespaces and parameters, with template arguments
  std::string file;
  std::vector<Variable> parameters;
  std::map<std::string, std::string, std::less<>> registers;  // name or prefix ("%r") -> type ("b32")
  std::vector<Variable> shared;                               // in the file's order, the file's own first
  std::vector<Variable> local;                                // of each thread
  std::vector<Statement> statements;
  std::map<std::string, std::size_t, std::less<>> labels;                      // -> the statement that follows
  std::map<std::string, std::vector<std::string>, std::less<>> branch_tables;  // of brx.idx
};

// Throws emulation::KernelError with file and line where the text is not understood.
std::vector<KernelText> parse_ptx(const std::string& file, std::string_view text);

}  // namespace lockstep::ptx
