// Any text as Slurm's list of hosts: it is refused, or it names at most 65,536 hosts, none of which has a bracket or a
// comma; and what it names, written out, names the same.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/error.hpp"
#include "common/host_list.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using lockstep::expand_host_list;
  const std::string text(data, data + size);
  std::vector<std::string> names;
  try {
    names = expand_host_list(text);
  } catch (const lockstep::Error&) {
    return 0;
  }
  for (const std::string& each : names) {
    if (each.find_first_of("[],") != std::string::npos) std::abort();
  }
  if (names.size() > 65536 || expand_host_list(fmt::format("{}", fmt::join(names, ","))) != names) std::abort();
  return 0;
}
