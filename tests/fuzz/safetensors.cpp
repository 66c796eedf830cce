// Any bytes as a safetensors file: either bad_input, or tensors that lie within the file and can be copied out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "runner/checkpoint/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& [name, entry] : lockstep::runner::parse_safetensors(bytes, "fuzz").tensors) {
      if (entry.count > size) std::abort();
      std::vector<float> values(entry.count);
      lockstep::runner::copy_tensor(bytes, entry, values);
    }
  } catch (const lockstep::Error& error) {
    if (error.code() != lockstep::ExitCode::bad_input) std::abort();
  }
  return 0;
}
