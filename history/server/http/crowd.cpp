#include "history/server/http/crowd.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "common/error.hpp"

namespace lockstep::history::server::http {

namespace ip = boost::asio::ip;

static ip::address client_of(const ip::address& from) {
  if (from.is_v4()) return from;
  const ip::address_v6 long_one = from.to_v6();
  if (long_one.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, long_one);
  if (long_one.is_loopback()) return from;
  auto bytes = long_one.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return ip::address_v6(bytes);
}

std::optional<Crowd::Place> Crowd::enter(const ip::address& from) {
  const ip::address client = client_of(from);
  if (all_ >= most_) return std::nullopt;
  const std::uint64_t most_of_one = most_of_one_.value_or(client.is_loopback() ? most_ : usual_of_one);
  const auto known = of_clients_.try_emplace(client, 0).first;
  if (known->second >= most_of_one) {
    if (known->second == 0) of_clients_.erase(known);
    return std::nullopt;
  }
  ++known->second;
  ++all_;
  return Place(*this, known);
}

void Crowd::leave(OfClients::iterator client) {
  --all_;
  if (--client->second == 0) of_clients_.erase(client);
}

std::uint64_t make_room_for_connections() {
  constexpr rlim_t own = 128;  // the stores, files on their way, and what is about to be refused
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw system_failure("cannot read the limit of descriptors");
  rlimit raised = {limit.rlim_max, limit.rlim_max};  // usually 1,024 of many more
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur > 2 * own ? limit.rlim_cur - own : limit.rlim_cur / 2;
}

}  // namespace lockstep::history::server::http
