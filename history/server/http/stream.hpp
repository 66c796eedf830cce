// What a connection reads from and writes to: TCP, or TLS over it. Without TLS it has no state for it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <memory>
#include <utility>

#include "history/server/http/tls_stream.hpp"

namespace lockstep::history::server::http {

// An AsyncReadStream and AsyncWriteStream, as Asio and Beast call them. Times are those of tcp_stream.
class Stream {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;

  Stream(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls)  // null: without
      : tcp_(std::move(socket)),
        secure_(tls == nullptr ? nullptr : std::make_unique<TlsStream>(tcp_, tls->native_handle())) {}

  executor_type get_executor() { return tcp_.get_executor(); }
  bool is_secure() const { return secure_ != nullptr; }
  boost::beast::tcp_stream& tcp() { return tcp_; }
  void expires_after(std::chrono::nanoseconds time) { tcp_.expires_after(time); }
  void cancel() { tcp_.cancel(); }

  boost::asio::awaitable<boost::system::error_code> shake_hands();  // nothing to do without TLS
  boost::asio::awaitable<void> say_goodbye();                       // no more will be written

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (secure_) return secure_->async_read_some(buffers, std::forward<Token>(token));
    return tcp_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (secure_) return secure_->async_write_some(buffers, std::forward<Token>(token));
    return tcp_.async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  boost::beast::tcp_stream tcp_;
  std::unique_ptr<TlsStream> secure_;
};

}  // namespace lockstep::history::server::http
