// The certificate that a server shows, and its key.
#pragma once

#include <memory>

#include "common/file.hpp"

namespace boost::asio::ssl {
class context;
}

namespace lockstep::history::server::http {

struct TlsFiles {
  fs::path certificate;  // PEM; those of who signed it may follow it
  fs::path key;          // PEM, without a passphrase
};

// TLS 1.2 and newer, with what OpenSSL holds for secure. Throws bad_input with the name of the file that is no good.
std::shared_ptr<boost::asio::ssl::context> tls_of(const TlsFiles& files);

}  // namespace lockstep::history::server::http
