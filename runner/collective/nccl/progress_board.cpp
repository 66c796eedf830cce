#include "runner/collective/nccl/progress_board.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include "common/clock.hpp"
#include "runner/agreement.hpp"

namespace lockstep::runner {

namespace {
constexpr milliseconds meeting_limit = std::chrono::seconds(30);

// What rank 0 tells the others by broadcast: where it listens. The token keeps strangers apart.
struct Door {
  std::uint64_t token = 0;
  std::int32_t port = 0;
  char addresses[8][16] = {};
};

struct Hello {
  std::uint64_t token = 0;
  std::int32_t rank = 0;
  char host[68] = {};
};

Hello hello_of(std::uint64_t token, int rank) {
  Hello hello{token, rank, {}};
  ::gethostname(hello.host, sizeof hello.host - 1);
  return hello;
}

Door door_of(const Listener& listener, bool one_machine) {
  Door door;
  std::random_device random;
  door.token = std::uint64_t{random()} << 32U | random();
  door.port = listener.port;
  std::vector<std::string> addresses = {"127.0.0.1"};
  if (!one_machine) addresses = own_addresses();
  for (std::size_t i = 0; i < std::min(addresses.size(), std::size(door.addresses)); ++i) {
    std::strncpy(door.addresses[i], addresses[i].c_str(), sizeof door.addresses[i] - 1);
  }
  return door;
}

// An address may belong to another machine's network of the same numbers, or to nobody: rank 0 answers with the token.
Fd enter(const Door& door, int rank) {
  const Hello hello = hello_of(door.token, rank);
  std::string tried;
  for (const auto& address : door.addresses) {
    if (address[0] == 0) break;
    tried += fmt::format(" {}:{}", address, door.port);
    auto socket = connect_within(address, std::to_string(door.port), std::chrono::seconds(2));
    std::uint64_t answer = 0;
    if (socket && send_small(socket->get(), &hello, sizeof hello) &&
        receive_within(socket->get(), &answer, sizeof answer, std::chrono::seconds(5)) && answer == door.token) {
      return std::move(*socket);
    }
  }
  throw failure("cannot reach rank 0 at{}: a firewall between the machines? NCCL needs these connections too", tried);
}
}  // namespace

ProgressBoard::ProgressBoard(Collective& ranks)
    : rank_(static_cast<std::size_t>(ranks.rank())),
      records_(static_cast<std::size_t>(ranks.size())),
      peers_(records_.size()) {
  records_[rank_].host = hello_of(0, ranks.rank()).host;
  if (ranks.size() == 1) return;
  Listener listener;
  Door door;
  agreed(ranks, [&] {
    if (rank_ != 0) return true;
    listener = listen_here(ranks.one_machine(), ranks.size());
    door = door_of(listener, ranks.one_machine());
    return true;
  });
  ranks.broadcast(std::as_writable_bytes(std::span(&door, 1)), 0);
  agreed(ranks, [&] {
    if (rank_ == 0) {
      accept_all(listener, door.token);
    } else {
      peers_[0].socket = enter(door, ranks.rank());
    }
    return true;
  });
}

void ProgressBoard::accept_all(const Listener& door, std::uint64_t token) {
  const Countdown countdown(meeting_limit);
  for (std::size_t missing = peers_.size() - 1; missing > 0;) {
    auto socket = accept_within(door.socket, countdown.left());
    if (!socket && countdown.left().count() == 0) throw failure("{} ranks did not come to rank 0 in time", missing);
    Hello hello;
    if (!socket || !receive_within(socket->get(), &hello, sizeof hello, std::chrono::seconds(1))) continue;
    const auto rank = static_cast<std::size_t>(hello.rank);
    if (hello.token != token || rank == 0 || rank >= peers_.size()) continue;  // a stranger
    if (!send_small(socket->get(), &token, sizeof token)) continue;
    if (!peers_[rank].socket) --missing;
    peers_[rank].socket = std::move(*socket);
    peers_[rank].heard_ms = monotonic_ms();
    records_[rank].host = std::string(hello.host, ::strnlen(hello.host, sizeof hello.host));
  }
}

void ProgressBoard::publish(const Progress& mine) {
  records_[rank_].progress = mine;
  if (rank_ == 0 && mine.state == RankState::running) return;
  for (Peer& peer : peers_) {
    if (!peer.socket) continue;
    const bool must_go = mine.state == RankState::leaving;
    if (peer.out.empty() || must_go) peer.out.append(reinterpret_cast<const char*>(&mine), sizeof mine);
    const ssize_t count = ::send(peer.socket.get(), peer.out.data(), peer.out.size(), MSG_NOSIGNAL);
    if (count > 0) peer.out.erase(0, static_cast<std::size_t>(count));
  }
}

void ProgressBoard::read(milliseconds limit, int wake) {
  std::vector<pollfd> waiting = {{wake, POLLIN, 0}};
  std::vector<std::size_t> ranks;
  for (std::size_t rank = 0; rank < peers_.size(); ++rank) {
    if (!peers_[rank].socket) continue;
    waiting.push_back({peers_[rank].socket.get(), POLLIN, 0});
    ranks.push_back(rank);
  }
  ::poll(waiting.data(), waiting.size(), static_cast<int>(limit.count()));
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (waiting[i + 1].revents != 0) read_from(ranks[i]);
    const Peer& peer = peers_[ranks[i]];
    if (peer.socket) records_[ranks[i]].silent_s = static_cast<double>(monotonic_ms() - peer.heard_ms) / 1000;
  }
}

void ProgressBoard::read_from(std::size_t rank) {
  Peer& peer = peers_[rank];
  RankRecord& record = records_[rank];
  char bytes[4096];
  const ssize_t count = ::recv(peer.socket.get(), bytes, sizeof bytes, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    record.gone = record.progress.state == RankState::running;
    peer.socket.reset();
    return;
  }
  peer.heard_ms = monotonic_ms();
  peer.in.append(bytes, static_cast<std::size_t>(count));
  for (; peer.in.size() >= sizeof(Progress); peer.in.erase(0, sizeof(Progress))) {
    std::memcpy(&record.progress, peer.in.data(), sizeof(Progress));
  }
}

}  // namespace lockstep::runner
