#include "launcher/supervise/channel.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "common/error.hpp"

namespace lockstep::supervise {

// On the wire: a 32-bit length (this machine's order: both ends are one program), then word and fields, each ended by
// a NUL.
using Length = std::uint32_t;

std::pair<Channel, Channel> Channel::make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw system_failure("cannot make a socket pair");
  return {Channel(Fd(ends[0])), Channel(Fd(ends[1]))};
}

bool Channel::send(const Message& message) {
  std::string body = message.word + '\0';
  for (const auto& field : message.fields) body.append(field, 0, field.find('\0')).push_back('\0');
  const auto length = static_cast<Length>(body.size());
  std::string frame(reinterpret_cast<const char*>(&length), sizeof length);
  frame += body;
  std::string_view rest = frame;
  while (!rest.empty()) {
    const ssize_t put = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

void Channel::receive() {
  char buffer[1 << 16];
  while (!closed_) {
    const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (got <= 0) closed_ = true;  // end, or reset by a peer that died with messages unread
    if (got > 0) bytes_.append(buffer, static_cast<std::size_t>(got));
  }
  take_whole_messages();
}

void Channel::take_whole_messages() {
  while (true) {
    Length length = 0;
    if (bytes_.size() < sizeof length) return;
    std::memcpy(&length, bytes_.data(), sizeof length);
    if (bytes_.size() - sizeof length < length) return;
    Message message;
    bool is_word = true;
    for (std::size_t at = sizeof length; at < sizeof length + length; is_word = false) {
      const std::string part(bytes_.c_str() + at);
      at += part.size() + 1;
      if (is_word) {
        message.word = part;
      } else {
        message.fields.push_back(part);
      }
    }
    bytes_.erase(0, sizeof length + length);
    messages_.push_back(std::move(message));
  }
}

bool Channel::next(Message& message) {
  if (messages_.empty()) return false;
  message = std::move(messages_.front());
  messages_.pop_front();
  return true;
}

}  // namespace lockstep::supervise
