#include "history/server/http/tls.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>

#include "common/error.hpp"

namespace lockstep::history::server::http {

namespace ssl = boost::asio::ssl;

using Bio = std::unique_ptr<BIO, decltype(&::BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;

static constexpr std::uint64_t most_bytes = std::uint64_t{1} << 20;

static std::string text_of(const fs::path& file) {
  try {
    return read_file(file, most_bytes);
  } catch (const Error& error) {
    throw bad_input("{}", error.what());
  }
}

// Instead of OpenSSL's own, which would ask at the terminal.
static int refuse_passphrase(char*, int, int, void* is_encrypted) {
  *static_cast<bool*>(is_encrypted) = true;
  return -1;
}

static Key key_of(const fs::path& file) {
  const std::string text = text_of(file);
  const Bio bio(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &::BIO_free);
  bool is_encrypted = false;
  Key key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, &is_encrypted), &::EVP_PKEY_free);
  ::ERR_clear_error();
  if (is_encrypted)
    throw bad_input("{}: the key has a passphrase; a server that starts alone needs one without", file.string());
  if (!key) throw bad_input("{}: there is no private key in PEM form here", file.string());
  return key;
}

std::shared_ptr<ssl::context> tls_of(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);  // clients keep theirs, in tickets

  boost::system::error_code wrong;
  context->use_certificate_chain(boost::asio::buffer(text_of(files.certificate)), wrong);
  const X509* const certificate = SSL_CTX_get0_certificate(native);
  ::ERR_clear_error();
  if (certificate == nullptr) {
    throw bad_input("{}: there is no certificate in PEM form here that OpenSSL would use", files.certificate.string());
  }
  if (wrong) throw bad_input("{}: {}", files.certificate.string(), wrong.message());
  const Key key = key_of(files.key);
  const bool fit =
      ::X509_check_private_key(certificate, key.get()) == 1 && SSL_CTX_use_PrivateKey(native, key.get()) == 1;
  ::ERR_clear_error();
  if (!fit) {
    throw bad_input("{}: this is not the key of the certificate in {}", files.key.string(), files.certificate.string());
  }
  return context;
}

}  // namespace lockstep::history::server::http
