// Any bytes as a table of VM sizes: either InputErrors, or sizes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "common/error.hpp"
#include "launcher/spec/vm_sizes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    lockstep::spec::read_vm_sizes({reinterpret_cast<const char*>(data), size}, "fuzz.yml");
  } catch (const lockstep::InputErrors& e) {
    if (e.all().empty()) std::abort();
  }
  return 0;
}
