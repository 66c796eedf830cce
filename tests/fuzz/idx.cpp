// Any bytes as an IDX file, plain or gzip: either bad_input, or as many values as the shape says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/error.hpp"
#include "runner/data/idx.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 20;
  try {
    const auto array = lockstep::runner::parse_idx({reinterpret_cast<const char*>(data), size}, "fuzz", limit);
    std::uint64_t values = 1;
    for (const std::int64_t extent : array.shape) values *= static_cast<std::uint64_t>(extent);
    if (values != array.values.size() || values > limit) std::abort();
  } catch (const lockstep::Error& error) {
    if (error.code() != lockstep::ExitCode::bad_input) std::abort();
  }
  return 0;
}
