#include "history/server/http/stream.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lockstep::history::server::http {

namespace asio = boost::asio;
using boost::system::error_code;

asio::awaitable<error_code> Stream::shake_hands() {
  error_code failed;
  if (secure_) {
    co_await secure_->async_handshake(asio::redirect_error(asio::use_awaitable, failed));
  }
  co_return failed;
}

asio::awaitable<void> Stream::say_goodbye() {
  error_code ignored;
  if (secure_) {
    tcp_.expires_after(std::chrono::seconds(1));
    co_await secure_->async_goodbye(asio::redirect_error(asio::use_awaitable, ignored));
  }
  tcp_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

}  // namespace lockstep::history::server::http
