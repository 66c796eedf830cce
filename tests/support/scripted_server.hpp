// An HTTP server whose answers a test writes, one request at a time.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::testing {

struct ScriptedRequest {
  std::string method;
  std::string path;  // with the query
  std::string header;
  std::string body;
};

struct ScriptedReply {
  int status = 200;
  std::string body = "{}";
  std::string header = {};  // further lines, each with its \r\n
  bool dropped = false;     // the connection ends without an answer
};

class ScriptedServer {
 public:
  using Answer = std::function<ScriptedReply(const ScriptedRequest&)>;

  explicit ScriptedServer(Answer answer, int port = 0) : answer_(std::move(answer)) {
    listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_.get(), 16) != 0) {
      throw system_failure("cannot listen");
    }
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    std::tie(stop_read_, stop_write_) = make_pipe();
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    stop_write_.reset();
    thread_.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() {
    while (true) {
      pollfd both[] = {{listener_.get(), POLLIN, 0}, {stop_read_.get(), POLLIN, 0}};
      ::poll(both, 2, -1);
      if (both[1].revents != 0) return;
      const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      ScriptedRequest request;
      if (!client || !read_request(client.get(), request)) continue;
      const ScriptedReply reply = answer_(request);
      if (reply.dropped) continue;
      std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " x\r\nConnection: close\r\n" + reply.header +
                         "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
      ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }
  }

  static bool read_request(int fd, ScriptedRequest& request) {
    std::string bytes;
    std::size_t end = std::string::npos;
    std::size_t length = 0;
    while (end == std::string::npos || bytes.size() < end + 4 + length) {
      char buffer[1 << 14];
      const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      bytes.append(buffer, static_cast<std::size_t>(got));
      end = bytes.find("\r\n\r\n");
      const auto at = bytes.find("Content-Length: ");
      if (at < end) length = std::strtoul(bytes.c_str() + at + 16, nullptr, 10);
    }
    request.header = bytes.substr(0, end);
    request.body = bytes.substr(end + 4);
    const auto space = bytes.find(' ');
    request.method = bytes.substr(0, space);
    request.path = bytes.substr(space + 1, bytes.find(' ', space + 1) - space - 1);
    return true;
  }

  Answer answer_;
  Fd listener_;
  Fd stop_read_;
  Fd stop_write_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace lockstep::testing
