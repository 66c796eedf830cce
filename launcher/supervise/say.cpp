#include "launcher/supervise/say.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "common/clock.hpp"

namespace lockstep::supervise {

void say(std::string_view who, std::string_view what) {
  const std::string line = fmt::format("{} {}: {}\n", iso8601(now_ms()), who, what);
  // One write, so that lines of several processes don't mix; a full disk must not end the run.
  [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace lockstep::supervise
