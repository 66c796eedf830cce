#include "tests/gpu_emulation/engine/kernel_name.hpp"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "tests/gpu_emulation/engine/engine.hpp"

namespace lockstep::emulation {

// The namespaces of its template arguments, too, are left out.
static std::string without_namespaces(std::string name) {
  constexpr std::string_view ours = "lockstep::kernels::";
  for (std::size_t at = 0; (at = name.find(ours)) != std::string::npos;) name.erase(at, ours.size());
  return name;
}

std::string own_name(const std::string& mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status),
                                                    std::free);
  if (status != 0) return mangled;  // extern "C"
  const std::string_view whole = text.get();
  constexpr std::string_view anonymous = "(anonymous namespace)::";
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (depth == 0 && whole.substr(i).starts_with(anonymous)) {
      begin = i + anonymous.size();
      i = begin - 1;
      continue;
    }
    if (whole[i] == '(' && depth == 0) return without_namespaces(std::string(whole.substr(begin, i - begin)));
    if (whole[i] == '<' || whole[i] == '(') ++depth;
    if (whole[i] == '>' || whole[i] == ')') --depth;
    if (depth == 0 && (whole[i] == ':' || whole[i] == ' ')) begin = i + 1;
  }
  return without_namespaces(std::string(whole.substr(begin)));
}

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

std::string kernel_at(const void* function) {
  static const auto functions = functions_of_this_program();
  static const std::uint64_t offset = load_offset();
  const auto found = functions.find(reinterpret_cast<std::uint64_t>(function) - offset);
  if (found == functions.end()) throw KernelError("the launched function has no symbol in this program");
  return own_name(found->second);
}

}  // namespace lockstep::emulation
