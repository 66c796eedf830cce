#include "launcher/node/streams.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/error.hpp"

namespace lockstep::node {

namespace {
constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
// A peer on this very machine that takes nothing for so long is dead, or means harm.
constexpr std::size_t most_waiting = std::size_t{64} << 20;
constexpr int reads_in_a_row = 16;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

Fd tcp_socket() {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) throw system_failure("cannot make a socket");
  return socket;
}

Frame about(const char* word, std::int64_t id, std::string bytes = {}) {
  return {{{"word", word}, {"id", id}}, std::move(bytes)};
}
}  // namespace

void Streams::add(std::int64_t id, Fd socket) { all_[id] = {std::move(socket)}; }

void Streams::add_to(std::vector<pollfd>& waiting) const {
  for (const auto& [id, stream] : all_) {
    const short wanted = static_cast<short>((stream.closing ? 0 : POLLIN) | (stream.waiting.empty() ? 0 : POLLOUT));
    waiting.push_back({stream.socket.get(), wanted, 0});
  }
}

bool Streams::move(std::int64_t id, Stream& stream) {
  while (!stream.waiting.empty()) {
    const ssize_t put = ::send(stream.socket.get(), stream.waiting.data(), stream.waiting.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && (errno == EAGAIN || errno == ENOTCONN)) break;
    if (put < 0) return false;
    stream.waiting.erase(0, static_cast<std::size_t>(put));
  }
  if (stream.closing) return !stream.waiting.empty();
  for (int reads = 0; reads < reads_in_a_row; ++reads) {
    std::string bytes(chunk_bytes, '\0');
    const ssize_t got = ::recv(stream.socket.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == ENOTCONN)) return true;
    if (got <= 0) return false;
    bytes.resize(static_cast<std::size_t>(got));
    send_(about("data", id, std::move(bytes)));
  }
  return true;
}

void Streams::look() {
  for (auto each = all_.begin(); each != all_.end();) {
    if (move(each->first, each->second)) {
      ++each;
      continue;
    }
    if (!each->second.closing) send_(about("close", each->first));
    each = all_.erase(each);
  }
}

void Streams::take(const Frame& frame) {
  const auto found = all_.find(frame.head.value("id", std::int64_t{0}));
  if (found == all_.end()) return;
  Stream& stream = found->second;
  if (frame.word() == "close") stream.closing = true;
  if (frame.word() == "data") stream.waiting += frame.body;
  if (stream.waiting.size() > most_waiting) {
    send_(about("close", found->first));
    all_.erase(found);
  }
}

Doorway::Doorway(int port, Streams::Send send) : listener_(tcp_socket()), send_(send), streams_(std::move(send)) {
  const sockaddr_in address = loopback(port);
  const int yes = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);  // nodes that are slots of one machine
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the interface of sockets
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), SOMAXCONN) != 0) {
    throw system_failure(fmt::format("cannot listen at 127.0.0.1:{}", port));
  }
}

void Doorway::add_to(std::vector<pollfd>& waiting) const {
  waiting.push_back({listener_.get(), POLLIN, 0});
  streams_.add_to(waiting);
}

void Doorway::look() {
  while (true) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) break;
    send_(about("open", next_id_));
    streams_.add(next_id_++, std::move(socket));
  }
  streams_.look();
}

Passage::Passage(int port, Streams::Send send) : port_(port), send_(send), streams_(std::move(send)) {}

void Passage::take(const Frame& frame) {
  if (frame.word() != "open") return streams_.take(frame);
  const auto id = frame.head.value("id", std::int64_t{0});
  const sockaddr_in address = loopback(port_);
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return send_(about("close", id));  // of too many at once; the client tries again
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the interface of sockets
  const int result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (result != 0 && errno != EINPROGRESS) return send_(about("close", id));
  streams_.add(id, std::move(socket));
}

}  // namespace lockstep::node
