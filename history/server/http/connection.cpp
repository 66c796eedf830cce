#include "history/server/http/connection.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

#include "history/server/mlflow/error.hpp"

namespace lockstep::history::server::http {

namespace asio = boost::asio;
namespace bhttp = boost::beast::http;
using boost::system::error_code;
using std::chrono::steady_clock;

Connection::Connection(Shared& shared, asio::ip::tcp::socket socket)
    : shared_(shared),
      place_(shared.connections.insert(shared.connections.end(), this)),
      stream_(std::move(socket), shared.tls.get()) {
  ++shared_.counts.connections;
  ++shared_.counts.accepted;
  error_code ignored;
  stream_.tcp().socket().set_option(asio::ip::tcp::no_delay(true), ignored);
}

Connection::~Connection() {
  if (under_way_) request_ended();
  shared_.connections.erase(place_);
  --shared_.counts.connections;
}

void Connection::cancel() {
  stream_.cancel();
  if (pause_ != nullptr) pause_->cancel();
}

asio::awaitable<void> Connection::serve() {
  try {
    if (co_await agree_on_tls()) {
      bool goes_on = true;
      while (goes_on && !shared_.stopping) {
        co_await first_byte();  // exchange() and all it needs come after the wait
        goes_on = co_await exchange();
      }
      co_await stream_.say_goodbye();
    }
    if (has_unread_) co_await linger();
  } catch (const std::exception&) {  // the client went away, or was too slow; or a file can't be read to its end
    co_return;
  }
}

asio::awaitable<bool> Connection::agree_on_tls() {
  if (!stream_.is_secure()) co_return true;
  stream_.expires_after(shared_.options.limits.header);
  const error_code failed = co_await stream_.shake_hands();
  if (!failed) co_return true;
  ++shared_.counts.failed_handshakes;
  if (failed.category() == asio::error::get_ssl_category() && ERR_GET_REASON(failed.value()) == SSL_R_HTTP_REQUEST) {
    static constexpr std::string_view told =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 37\r\nConnection: close\r\n\r\n"
        "This server speaks TLS: use https://\n";
    co_await asio::async_write(stream_.tcp(), asio::buffer(told), asio::use_awaitable);
    stream_.tcp().socket().shutdown(asio::ip::tcp::socket::shutdown_send);
    has_unread_ = true;
  }
  co_return false;
}

// A client that says nothing costs a few hundred bytes.
asio::awaitable<void> Connection::first_byte() {
  constexpr std::size_t small = 512;
  if (buffer_.size() > 0) co_return;
  buffer_.shrink_to_fit();
  stream_.expires_after(shared_.options.limits.idle);
  buffer_.commit(co_await stream_.async_read_some(buffer_.prepare(small), asio::use_awaitable));
}

// Not: the client went away, or was too slow.
bool Connection::is_no_http(error_code broken) {
  return broken.category() == bhttp::make_error_code(bhttp::error::bad_method).category() &&
         broken != bhttp::error::end_of_stream && broken != bhttp::error::partial_message;
}

Reply Connection::plain(int status, const std::string& why) {
  Reply reply;
  reply.status = status;
  reply.content_type = "text/plain; charset=utf-8";
  reply.body = why + "\n";
  return reply;
}

void Connection::request_began() {
  under_way_ = true;
  ++shared_.counts.under_way;
}

void Connection::request_ended() {
  under_way_ = false;
  --shared_.counts.under_way;
}

void Connection::count_reply(int status, Time began) {
  const double seconds = std::chrono::duration<double>(steady_clock::now() - began).count();
  const auto* const bucket =
      std::lower_bound(std::begin(Counts::seconds_up_to), std::end(Counts::seconds_up_to), seconds);
  shared_.counts.microseconds += static_cast<std::uint64_t>(seconds * 1e6);
  ++shared_.counts.took[bucket - std::begin(Counts::seconds_up_to)];
  ++shared_.counts.replies[std::clamp(status / 100, 0, 5)];
}

asio::awaitable<bool> Connection::exchange() {
  request_began();
  const Time began = steady_clock::now();
  Parser parser;
  parser.header_limit(shared_.options.limits.header_bytes);
  parser.body_limit(shared_.options.limits.file_bytes);
  stream_.expires_after(shared_.options.limits.header);
  error_code broken;
  co_await bhttp::async_read_header(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, broken));
  Reply reply;
  Scope asked_for = Scope::none;
  bool refused = broken.failed();
  if (broken == bhttp::error::header_limit) {
    reply = plain(431, "The header is too long.");
  } else if (broken == bhttp::error::body_limit) {
    reply = plain(413, "The body is too long.");
  } else if (is_no_http(broken)) {
    reply = plain(400, "This is no HTTP request that the server understands: " + broken.message());
  } else if (broken) {
    throw boost::system::system_error(broken);
  } else {
    try {
      reply = co_await answer(parser, asked_for);
    } catch (const Refusal& refusal) {
      reply = plain(refusal.status, refusal.why);
      refused = true;
    } catch (const Error&) {  // a full disk, for one
      reply = mlflow::reply_of(std::current_exception());
      // MLflow's pages have no place for a token: the browser asks for a password.
      const bool is_of_pages = parser.get().target().starts_with("/mlflow/");
      if (reply.status == 401 && is_of_pages) {
        reply.headers = {{"WWW-Authenticate", R"(Basic realm="a token of Lockstep as the password")"}};
      }
    }
  }
  const bool keep_alive = !refused && parser.is_done() && parser.keep_alive() && !shared_.stopping &&
                          (!reply.events || parser.get().version() >= 11);
  co_await send(reply, parser, keep_alive);
  count_reply(reply.status, began);
  request_ended();
  has_unread_ = refused || !parser.is_done();
  if (reply.events && parser.get().method() != bhttp::verb::head) {
    co_await send_events(*reply.events, parser, asked_for);
  }
  co_return keep_alive;
}

// A client that was answered before it had sent all gets to read the answer: closing now would reset the connection.
asio::awaitable<void> Connection::linger() {
  constexpr std::size_t most = std::size_t{1} << 20;
  std::string ignored(piece_bytes, '\0');
  stream_.tcp().expires_after(std::chrono::seconds(2));
  for (std::size_t taken = 0; taken < most;) {
    taken += co_await stream_.tcp().async_read_some(asio::buffer(ignored), asio::use_awaitable);
  }
}

}  // namespace lockstep::history::server::http
