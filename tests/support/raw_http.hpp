// A client that sends the bytes it is told to, right or wrong.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::testing {

class RawHttp {
 public:
  explicit RawHttp(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw system_failure("cannot connect");
    }
  }

  // False: the server has closed its side.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // One reply: its header, and as much body as that says. Empty: the server closed instead.
  std::string reply() {
    std::size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more()) return {};
    }
    const std::size_t all = end + 4 + content_length(buffer_.substr(0, end));
    while (buffer_.size() < all) {
      if (!read_more()) return {};
    }
    std::string one = buffer_.substr(0, all);
    buffer_.erase(0, all);
    return one;
  }

  std::string exchange(std::string_view bytes) {
    send(bytes);
    return reply();
  }

  // Everything up to `end`, and that; or up to where the server closed.
  std::string until(std::string_view end) {
    std::size_t at = std::string::npos;
    while ((at = buffer_.find(end)) == std::string::npos) {
      if (!read_more()) return std::exchange(buffer_, {});
    }
    std::string text = buffer_.substr(0, at + end.size());
    buffer_.erase(0, text.size());
    return text;
  }
  std::string until_closed() {
    is_closed_by_server();
    return std::exchange(buffer_, {});
  }

  // Whether the server closes the connection within the time that a test may take.
  bool is_closed_by_server() {
    while (read_more()) {
    }
    return closed_;
  }

 private:
  bool read_more() {
    constexpr int patience_ms = 20'000;  // against hanging
    pollfd ready = {fd_.get(), POLLIN, 0};
    if (::poll(&ready, 1, patience_ms) != 1) return false;
    char bytes[65536];
    const ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) {
      closed_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  static std::size_t content_length(const std::string& header) {
    const auto at = header.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(header.substr(at + 16));
  }

  Fd fd_;
  std::string buffer_;
  bool closed_ = false;
};

inline int status_of(const std::string& reply) { return reply.size() < 12 ? 0 : std::stoi(reply.substr(9, 3)); }
inline std::string body_of(const std::string& reply) {
  const auto end = reply.find("\r\n\r\n");
  return end == std::string::npos ? "" : reply.substr(end + 4);
}

}  // namespace lockstep::testing
