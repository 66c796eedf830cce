// RawHttp's sister: a client that speaks TLS, and takes any certificate.
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <string>

#include "tests/support/raw_http.hpp"

namespace lockstep::testing {

class RawHttps {
 public:
  // Throws what goes wrong with the handshake.
  explicit RawHttps(int port, int newest = TLS1_3_VERSION) {
    SSL* const tls = stream_.native_handle();
    SSL_set_security_level(tls, 0);  // older versions of TLS are the server's to refuse
    SSL_set_min_proto_version(tls, TLS1_VERSION);
    SSL_set_max_proto_version(tls, newest);
    stream_.next_layer().connect({boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)});
    stream_.handshake(stream_.client);
  }

  long serial() {
    const std::unique_ptr<X509, decltype(&::X509_free)> shown(::SSL_get1_peer_certificate(stream_.native_handle()),
                                                              &::X509_free);
    return ::ASN1_INTEGER_get(::X509_get0_serialNumber(shown.get()));
  }
  void send(std::string_view bytes) { boost::asio::write(stream_, boost::asio::buffer(bytes)); }
  // Everything up to `end`, and that; or all there was when the server closed.
  std::string until(std::string_view end) {
    boost::asio::read_until(stream_, boost::asio::dynamic_buffer(buffer_), std::string(end), ended_);
    const auto at = buffer_.find(end);
    std::string text = buffer_.substr(0, at == std::string::npos ? at : at + end.size());
    buffer_.erase(0, text.size());
    return text;
  }
  std::string exchange(std::string_view bytes) {
    send(bytes);
    std::string header = until("\r\n\r\n");
    const auto length = header.find("Content-Length: ");
    if (length == std::string::npos) return header;
    const std::size_t size = std::stoul(header.substr(length + 16));
    if (buffer_.size() < size) {
      boost::asio::read(stream_, boost::asio::dynamic_buffer(buffer_),
                        boost::asio::transfer_exactly(size - buffer_.size()), ended_);
    }
    header += buffer_.substr(0, size);
    buffer_.erase(0, size);
    return header;
  }
  // Whether the server says that it ends, as TLS asks for: otherwise somebody else may have cut the connection.
  bool is_closed_by_goodbye() {
    until("\n never \n");
    return ended_ == boost::asio::error::eof;
  }

 private:
  boost::asio::io_context io_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_{io_, context_};
  std::string buffer_;
  boost::system::error_code ended_;
};

}  // namespace lockstep::testing
