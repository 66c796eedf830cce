// The operands of a kernel's statements: registers, constants and named memory, each as the register that has it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/ptx/interpreter/program.hpp"

namespace lockstep::ptx {

struct Place {
  File file = File::narrow;
  std::uint16_t at = 0;
};

class Operands {
 public:
  explicit Operands(Program& program);

  // The register that has it. A constant gets one in the file that is wanted. Throws emulation::KernelError where there
  // is no such register.
  Place find(std::string_view text, File wanted);
  // As find; a register must lie in the file that is wanted.
  std::uint16_t in(std::string_view text, File wanted);
  // [register], [register+8], [name], [name+8]
  void read_address(std::string_view text, Access& access);

 private:
  void place_memory();
  bool is_used(const std::string& name) const;
  Place new_register(File file);
  bool is_register(std::string_view text) const;
  Place find_register(std::string_view text);
  std::uint64_t value_of(std::string_view text) const;

  Program& program_;
  std::map<std::string, Place, std::less<>> registers_;
  std::map<std::pair<std::uint64_t, File>, Place> constants_;
  struct Symbol {
    Space space;
    std::uint64_t offset;
  };
  std::map<std::string, Symbol, std::less<>> symbols_;
};

// "{%f1, %f2}" -> its parts; another operand is its own only part.
std::vector<std::string> parts_of_list(std::string_view text);

}  // namespace lockstep::ptx
