#include "runner/collective/nccl/socket.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "common/error.hpp"

namespace lockstep::runner {

milliseconds Countdown::left() const {
  const auto left = std::chrono::duration_cast<milliseconds>(end_ - std::chrono::steady_clock::now());
  return std::max(left, milliseconds(0));
}

Listener listen_here(bool this_machine_only, int backlog) {
  Listener made{Fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), 0};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(this_machine_only ? INADDR_LOOPBACK : INADDR_ANY);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!made.socket || ::bind(made.socket.get(), generic, length) != 0 || ::listen(made.socket.get(), backlog) != 0 ||
      ::getsockname(made.socket.get(), generic, &length) != 0) {
    throw system_failure("listening for the other ranks");
  }
  made.port = ntohs(address.sin_port);
  return made;
}

std::vector<std::string> own_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) throw system_failure("looking for this machine's addresses");
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
  std::vector<std::string> all;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
    if ((each->ifa_flags & IFF_UP) == 0 || (each->ifa_flags & IFF_LOOPBACK) != 0) continue;
    char text[INET_ADDRSTRLEN] = {};
    const auto* address = reinterpret_cast<const sockaddr_in*>(each->ifa_addr);
    ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
    all.emplace_back(text);
  }
  return all;
}

static bool wait_for(int socket, short events, milliseconds limit) {
  const Countdown countdown(limit);
  pollfd waiting{socket, events, 0};
  int ready = -1;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(countdown.left().count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

bool wait_readable(int socket, milliseconds limit) { return wait_for(socket, POLLIN, limit); }

std::optional<Fd> connect_within(const std::string& host, const std::string& port, milliseconds limit) {
  const Countdown countdown(limit);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &list) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    Fd made(::socket(each->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!made) continue;
    if (::connect(made.get(), each->ai_addr, each->ai_addrlen) == 0) return made;
    if (errno != EINPROGRESS || !wait_for(made.get(), POLLOUT, countdown.left())) continue;
    int error = 0;
    socklen_t length = sizeof error;
    if (::getsockopt(made.get(), SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0) return made;
  }
  return std::nullopt;
}

std::optional<Fd> accept_within(const Fd& listener, milliseconds limit) {
  if (!wait_for(listener.get(), POLLIN, limit)) return std::nullopt;
  Fd made(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!made) return std::nullopt;
  return made;
}

bool receive_within(int socket, void* into, std::size_t bytes, milliseconds limit) {
  const Countdown countdown(limit);
  for (std::size_t done = 0; done < bytes;) {
    if (!wait_for(socket, POLLIN, countdown.left())) return false;
    const ssize_t count = ::recv(socket, static_cast<char*>(into) + done, bytes - done, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return false;
    done += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  }
  return true;
}

bool send_small(int socket, const void* from, std::size_t bytes) {
  return ::send(socket, from, bytes, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes);
}

}  // namespace lockstep::runner
