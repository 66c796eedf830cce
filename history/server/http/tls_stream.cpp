#include "history/server/http/tls_stream.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace lockstep::history::server::http {

TlsStream::TlsStream(boost::beast::tcp_stream& tcp, SSL_CTX* context)
    : tcp_(tcp), tls_(::SSL_new(context), &::SSL_free) {
  BIO* const bio = ::BIO_new(method());
  if (tls_ == nullptr || bio == nullptr) throw std::bad_alloc();
  ::BIO_set_data(bio, this);
  ::BIO_set_init(bio, 1);
  ::SSL_set_bio(tls_.get(), bio, bio);
  SSL_set_mode(tls_.get(),
               SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

TlsStream::Outcome TlsStream::outcome_of(int result) {
  if (result > 0) return Outcome::done;
  const int kind = ::SSL_get_error(tls_.get(), result);
  const unsigned long why = ::ERR_get_error();
  ::ERR_clear_error();
  if (kind == SSL_ERROR_WANT_READ) return Outcome::wants_bytes;
  if (kind == SSL_ERROR_ZERO_RETURN) return Outcome::ended;
  failure_.assign(static_cast<int>(why), boost::asio::error::get_ssl_category());
  if (!failure_) failure_ = boost::asio::ssl::error::unexpected_result;
  return Outcome::failed;
}

// Little while a client is waited for, a record's worth when it is at it.
boost::asio::mutable_buffer TlsStream::room() {
  constexpr std::size_t little = 512;
  constexpr std::size_t record = std::size_t{17} << 10;
  arrived_ = std::string(fills_ ? record : little, '\0');
  given_ = arrived_.size();
  gathered_ = std::string();
  return boost::asio::buffer(arrived_);
}

void TlsStream::arrived(std::size_t bytes) {
  fills_ = bytes == arrived_.size();
  arrived_.resize(bytes);
  given_ = 0;
}

int TlsStream::give(BIO* bio, char* to, int size) {
  auto& stream = *static_cast<TlsStream*>(::BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::size_t left = stream.arrived_.size() - stream.given_;
  if (left == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t bytes = std::min(left, static_cast<std::size_t>(size));
  std::memcpy(to, stream.arrived_.data() + stream.given_, bytes);
  stream.given_ += bytes;
  return static_cast<int>(bytes);
}

int TlsStream::take(BIO* bio, const char* from, int size) {
  static_cast<TlsStream*>(::BIO_get_data(bio))->to_send_.append(from, static_cast<std::size_t>(size));
  BIO_clear_retry_flags(bio);
  return size;
}

const BIO_METHOD* TlsStream::method() {
  static const BIO_METHOD* const one = [] {
    BIO_METHOD* const made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lockstep");
    if (made == nullptr) throw std::bad_alloc();
    ::BIO_meth_set_read(made, &TlsStream::give);
    ::BIO_meth_set_write(made, &TlsStream::take);
    ::BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1L : 0L; });
    return made;
  }();
  return one;
}

}  // namespace lockstep::history::server::http
