// Any bytes as a compute's file: either InputErrors, or a definition whose kept text reads back to the same one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>

#include "common/error.hpp"
#include "launcher/spec/compute.hpp"

namespace {

using lockstep::spec::ReadCompute;

[[noreturn]] void complain(const char* what, const std::string& yaml) {
  std::cerr << what << ":\n" << yaml << '\n';
  std::abort();
}

void check_round_trip(const ReadCompute& definition) {
  try {
    const ReadCompute again = lockstep::spec::read_compute(definition.yaml, "kept.yml", "/elsewhere");
    if (again.compute != definition.compute) complain("reads back as another compute", definition.yaml);
    if (again.yaml != definition.yaml) complain("is kept differently the second time", definition.yaml);
  } catch (const lockstep::Error& e) {
    complain(e.what(), definition.yaml);
  }
}

}  // namespace

// The first line, if it begins with "--set ", is a --set; the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> sets;
  constexpr std::string_view set_prefix = "--set ";
  if (text.starts_with(set_prefix)) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    sets.emplace_back(text.substr(set_prefix.size(), end - set_prefix.size()));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  try {
    check_round_trip(lockstep::spec::read_compute(text, "fuzz.yml", "/fuzz", sets));
  } catch (const lockstep::InputErrors& e) {
    if (e.all().empty()) std::abort();
  }
  return 0;
}
