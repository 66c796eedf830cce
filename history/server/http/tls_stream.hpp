// TLS over TCP, as a server. While nothing is on its way it keeps no buffers: Asio's own keeps 68 KiB for as long as a
// client is connected. One operation at a time: a connection reads or writes.
#pragma once

#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

namespace lockstep::history::server::http {

class TlsStream {
 public:
  using Signature = void(boost::system::error_code, std::size_t);

  TlsStream(boost::beast::tcp_stream& tcp, SSL_CTX* context);  // `tcp` outlives it, and has the times
  TlsStream(const TlsStream&) = delete;                        // OpenSSL knows where it is
  TlsStream& operator=(const TlsStream&) = delete;

  template <class Token>
  auto async_handshake(Token&& token) {
    return run([](SSL* tls) { return ::SSL_accept(tls); }, std::forward<Token>(token));
  }
  // Says that no more will come. Does not wait for the client to say so, too.
  template <class Token>
  auto async_goodbye(Token&& token) {
    return run([](SSL* tls) { return ::SSL_shutdown(tls) < 0 ? -1 : 1; }, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    const boost::asio::mutable_buffer to = first_of(buffers);
    return run([to](SSL* tls) { return to.size() == 0 ? 0 : ::SSL_read(tls, to.data(), at_once(to.size())); },
               std::forward<Token>(token), to.size() == 0);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    const boost::asio::const_buffer from = gathered(buffers);
    return run([from](SSL* tls) { return from.size() == 0 ? 0 : ::SSL_write(tls, from.data(), at_once(from.size())); },
               std::forward<Token>(token), from.size() == 0);
  }

 private:
  enum class Outcome { done, wants_bytes, ended, failed };
  template <class Action>
  struct Operation;

  // `no_op`: an action that has nothing to do, and gives 0.
  template <class Action, class Token>
  auto run(Action action, Token&& token, bool no_op = false) {
    return boost::asio::async_compose<Token, Signature>(Operation<Action>{*this, std::move(action), no_op}, token,
                                                        tcp_);
  }
  template <class Buffers>
  static boost::asio::mutable_buffer first_of(const Buffers& buffers);
  template <class Buffers>
  boost::asio::const_buffer gathered(const Buffers& buffers);
  static int at_once(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, 1 << 30)); }

  Outcome outcome_of(int result);                         // of an action; after it `failure_` is set if it failed
  boost::asio::mutable_buffer room();                     // for bytes from the client
  void arrived(std::size_t bytes);                        // into that room
  static int give(BIO* bio, char* to, int size);          // to OpenSSL, of what arrived
  static int take(BIO* bio, const char* from, int size);  // from OpenSSL, to be sent
  static const BIO_METHOD* method();

  boost::beast::tcp_stream& tcp_;
  std::unique_ptr<SSL, decltype(&::SSL_free)> tls_;
  std::string arrived_;  // and not yet given to OpenSSL from `given_` on
  std::size_t given_ = 0;
  bool fills_ = false;    // the last that arrived had no more room
  std::string gathered_;  // what is being written, if it was more than one buffer
  std::string to_send_;   // as OpenSSL made it of that
  boost::system::error_code failure_;
};

// The first that is not empty; the last if none is.
template <class Buffers>
boost::asio::mutable_buffer TlsStream::first_of(const Buffers& buffers) {
  boost::asio::mutable_buffer found;
  for (auto it = boost::asio::buffer_sequence_begin(buffers); it != boost::asio::buffer_sequence_end(buffers); ++it) {
    found = boost::asio::mutable_buffer(*it);
    if (found.size() > 0) break;
  }
  return found;
}

// A header is many small buffers: as many as fit into one record become one.
template <class Buffers>
boost::asio::const_buffer TlsStream::gathered(const Buffers& buffers) {
  constexpr std::size_t record = std::size_t{16} << 10;
  const auto first = boost::asio::buffer_sequence_begin(buffers);
  if (first == boost::asio::buffer_sequence_end(buffers)) return {};
  const boost::asio::const_buffer one(*first);
  if (one.size() >= record || std::next(first) == boost::asio::buffer_sequence_end(buffers)) return one;
  gathered_.resize(std::min(record, boost::asio::buffer_size(buffers)));
  boost::asio::buffer_copy(boost::asio::buffer(gathered_), buffers);
  return boost::asio::buffer(gathered_);
}

// Asks OpenSSL, sends what it has to say, brings it what it waits for, and asks again.
template <class Action>
struct TlsStream::Operation {
  TlsStream& stream;
  Action action;
  bool no_op;
  enum { asking, sending, receiving, posted } step = asking;
  bool has_waited = false;
  int result = 0;
  Outcome outcome = Outcome::done;

  template <class Self>
  void operator()(Self& self, boost::system::error_code broken = {}, std::size_t bytes = 0) {
    namespace asio = boost::asio;
    if (step == posted) return complete(self);
    if (step == receiving) stream.arrived(bytes);
    if (step == sending) stream.to_send_ = std::string();
    if (broken) return self.complete(broken, 0);
    if (step != sending) {
      result = no_op ? 0 : action(stream.tls_.get());
      outcome = no_op ? Outcome::done : stream.outcome_of(result);
      if (!stream.to_send_.empty()) {
        step = sending;
        has_waited = true;
        return asio::async_write(stream.tcp_, asio::buffer(stream.to_send_), std::move(self));
      }
    }
    if (outcome == Outcome::wants_bytes) {
      step = receiving;
      has_waited = true;
      return stream.tcp_.async_read_some(stream.room(), std::move(self));
    }
    if (has_waited) return complete(self);
    step = posted;
    asio::post(stream.tcp_.get_executor(), std::move(self));
  }

  template <class Self>
  void complete(Self& self) {
    if (outcome == Outcome::done) return self.complete({}, static_cast<std::size_t>(result));
    self.complete(outcome == Outcome::ended ? boost::asio::error::eof : stream.failure_, 0);
  }
};

}  // namespace lockstep::history::server::http
