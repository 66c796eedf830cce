#include "runner/collective/nccl/ras_status.hpp"

#include <sys/socket.h>

#include <cstdlib>

#include "runner/collective/nccl/socket.hpp"

namespace lockstep::runner {

std::string ras_address() {
  const char* set = std::getenv("NCCL_RAS_ADDR");
  return set != nullptr ? set : "localhost:28028";
}

// One line asks, text answers, the end of the connection ends it. (NCCL's guide, "RAS": `echo status | nc localhost
// 28028`.)
std::optional<std::string> ras_status(const std::string& address, std::chrono::milliseconds time_limit) {
  constexpr std::size_t longest = 16 << 10;
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  const Countdown countdown(time_limit);
  const auto socket = connect_within(address.substr(0, colon), address.substr(colon + 1), countdown.left());
  constexpr std::string_view question = "verbose status\n";
  if (!socket || !send_small(socket->get(), question.data(), question.size())) return std::nullopt;
  std::string text;
  while (text.size() < longest && wait_readable(socket->get(), countdown.left())) {
    char bytes[1024];
    const ssize_t count = ::recv(socket->get(), bytes, sizeof bytes, 0);
    if (count <= 0) break;
    text.append(bytes, static_cast<std::size_t>(count));
  }
  if (text.empty()) return std::nullopt;
  return text.substr(0, longest);
}

}  // namespace lockstep::runner
