#include "launcher/cluster/ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <random>
#include <sstream>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::cluster {

namespace {

constexpr int lowest = 10000;
constexpr int highest = 65000;

struct Range {
  int first = 32768;
  int last = 60999;
};

Range given_to_anybody() {
  Range range;
  std::istringstream text(read_file_if_exists("/proc/sys/net/ipv4/ip_local_port_range").value_or(""));
  return text >> range.first >> range.last ? range : Range();
}

sockaddr_in address_of(int port, in_addr_t host) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(host);
  return address;
}

// As Slurm will bind it: at all addresses, whatever connections of old still linger.
bool is_free(int port) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = address_of(port, INADDR_ANY);
  return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
         ::listen(fd.get(), 1) == 0;
}

}  // namespace

int free_ports(int count) {
  const Range avoided = given_to_anybody();
  std::vector<int> usable;
  for (int port = lowest; port <= highest; ++port) {
    if (port < avoided.first || port > avoided.last) usable.push_back(port);
  }
  std::random_device random;
  const std::size_t start = usable.empty() ? 0 : random() % usable.size();
  int found = 0;
  for (std::size_t i = 0; i < usable.size(); ++i) {
    const int port = usable[(start + i) % usable.size()];
    const bool is_next = found > 0 && usable[(start + i - 1) % usable.size()] == port - 1;
    found = is_free(port) ? (is_next ? found + 1 : 1) : 0;
    if (found == count) return port - count + 1;
  }
  throw failure("there are no {} free ports in a row from {} to {} outside of {} to {} (ip_local_port_range)", count,
                lowest, highest, avoided.first, avoided.last);
}

bool is_listening(int port) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = address_of(port, INADDR_LOOPBACK);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace lockstep::cluster
