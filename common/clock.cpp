#include "common/clock.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

namespace lockstep {

template <class Clock>
static std::int64_t milliseconds_of() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count();
}

std::int64_t now_ms() { return milliseconds_of<std::chrono::system_clock>(); }
std::int64_t monotonic_ms() { return milliseconds_of<std::chrono::steady_clock>(); }
double monotonic_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string iso8601(std::int64_t milliseconds) {
  const std::time_t seconds = milliseconds / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, milliseconds % 1000);
}

std::string duration_text(std::int64_t milliseconds) {
  if (milliseconds < 1000) return fmt::format("{} ms", milliseconds);
  if (milliseconds < 60'000) return fmt::format("{:.1f} s", static_cast<double>(milliseconds) / 1000.0);
  const std::int64_t minutes = milliseconds / 60'000;
  if (minutes < 60) return fmt::format("{} min {:02} s", minutes, milliseconds / 1000 % 60);
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

}  // namespace lockstep
