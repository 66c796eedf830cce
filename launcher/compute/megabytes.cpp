#include "launcher/compute/megabytes.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "common/error.hpp"

namespace lockstep::compute {

constexpr std::uint64_t megabyte = std::uint64_t{1} << 20;

std::uint64_t megabytes_from(const char* variable, std::uint64_t default_megabytes) {
  const char* const text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return default_megabytes * megabyte;
  const std::string_view given(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
  const bool whole = error == std::errc() && end == given.data() + given.size();
  if (whole && value >= 1 && value <= UINT64_MAX / megabyte) return value * megabyte;
  throw bad_input("{}='{}' is not a whole number of MiB from 1 upwards", variable, given);
}

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s");
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace lockstep::compute
