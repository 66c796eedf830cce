#include "tests/ptx/on_interpreter/symbols.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

#include "tests/gpu_emulation/engine/engine.hpp"

namespace lockstep::ptx {

// Where the program lies in memory, against what its file says.
static std::uint64_t load_offset() {
  std::uint64_t offset = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* first, std::size_t /*bytes*/, void* result) {
        *static_cast<std::uint64_t*>(result) = first->dlpi_addr;
        return 1;  // the program itself comes first
      },
      &offset);
  return offset;
}

template <class T>
static std::vector<T> table_at(const std::string& file, std::uint64_t offset, std::uint64_t count) {
  std::vector<T> made(count);
  std::memcpy(made.data(), file.data() + offset, count * sizeof(T));
  return made;
}

static std::map<std::uint64_t, std::string> functions_of_this_program() {
  std::ifstream stream("/proc/self/exe", std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(stream), {}};
  const auto header = table_at<Elf64_Ehdr>(file, 0, 1)[0];
  const auto sections = table_at<Elf64_Shdr>(file, header.e_shoff, header.e_shnum);
  std::map<std::uint64_t, std::string> functions;
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_SYMTAB) continue;
    const char* names = file.data() + sections[section.sh_link].sh_offset;
    for (const auto& each : table_at<Elf64_Sym>(file, section.sh_offset, section.sh_size / sizeof(Elf64_Sym))) {
      if (ELF64_ST_TYPE(each.st_info) == STT_FUNC) functions[each.st_value] = names + each.st_name;
    }
  }
  return functions;
}

std::string symbol_at(const void* function) {
  static const auto functions = functions_of_this_program();
  static const std::uint64_t offset = load_offset();
  const auto found = functions.find(reinterpret_cast<std::uint64_t>(function) - offset);
  if (found == functions.end()) throw emulation::KernelError("the launched function has no symbol in this program");
  return found->second;
}

}  // namespace lockstep::ptx
