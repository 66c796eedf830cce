// Any bytes as a file of quotas: either InputErrors, or quotas whose text reads back to the same ones.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "common/error.hpp"
#include "launcher/spec/quotas.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto quotas = lockstep::spec::read_quotas({reinterpret_cast<const char*>(data), size}, "fuzz.yml");
    const auto again = lockstep::spec::read_quotas(lockstep::spec::quotas_as_yaml(quotas), "kept.yml");
    if (again != quotas) std::abort();
  } catch (const lockstep::InputErrors& e) {
    if (e.all().empty()) std::abort();
    for (const auto& each : e.all()) {
      if (each.file == "kept.yml") std::abort();
    }
  }
  return 0;
}
