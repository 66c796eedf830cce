// TCP with time limits. All sockets are non-blocking and close-on-exec; IPv4 where an address is chosen here.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/file.hpp"

namespace lockstep::runner {

using std::chrono::milliseconds;

struct Listener {
  Fd socket;
  int port = 0;  // chosen by the system
};
Listener listen_here(bool this_machine_only, int backlog);  // throws failure

// Of this machine's interfaces that are up, without loopback.
std::vector<std::string> own_addresses();

// A connection, or nothing within the time limit.
std::optional<Fd> connect_within(const std::string& host, const std::string& port, milliseconds limit);
std::optional<Fd> accept_within(const Fd& listener, milliseconds limit);

bool wait_readable(int socket, milliseconds limit);
// All bytes of `into`; false: they did not come in time, or the other side is gone.
bool receive_within(int socket, void* into, std::size_t bytes, milliseconds limit);
bool send_small(int socket, const void* from, std::size_t bytes);  // what fits into an empty socket's buffer

// What is left of a time limit that began with this object.
class Countdown {
 public:
  explicit Countdown(milliseconds limit) : end_(std::chrono::steady_clock::now() + limit) {}
  milliseconds left() const;  // 0 when it is over

 private:
  std::chrono::steady_clock::time_point end_;
};

}  // namespace lockstep::runner
