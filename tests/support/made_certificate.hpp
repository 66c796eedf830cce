// A certificate that signs itself, as a test needs one, in files.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "common/file.hpp"

namespace lockstep::testing {

class MadeCertificate {
 public:
  explicit MadeCertificate(long serial)
      : key_(::EVP_EC_gen("P-256"), &::EVP_PKEY_free), certificate_(::X509_new(), &::X509_free) {
    X509* const made = certificate_.get();
    ::X509_set_version(made, X509_VERSION_3);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(made), serial);
    ::X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    ::X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    ::X509_set_pubkey(made, key_.get());
    X509_NAME* const name = ::X509_get_subject_name(made);
    const auto* const called = reinterpret_cast<const unsigned char*>("localhost");
    ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, called, -1, -1, 0);
    ::X509_set_issuer_name(made, name);
    if (::X509_sign(made, key_.get(), ::EVP_sha256()) == 0) throw std::runtime_error("no certificate could be made");
  }

  std::string certificate() const {
    return written([&](BIO* to) { ::PEM_write_bio_X509(to, certificate_.get()); });
  }
  std::string key() const {
    return written([&](BIO* to) { ::PEM_write_bio_PrivateKey(to, key_.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  }
  std::string key_with_passphrase() const {
    return written([&](BIO* to) {
      ::PEM_write_bio_PKCS8PrivateKey(to, key_.get(), ::EVP_aes_256_cbc(), "secret", 6, nullptr, nullptr);
    });
  }

 private:
  template <class Write>
  static std::string written(const Write& write) {
    const std::unique_ptr<BIO, decltype(&::BIO_free)> to(::BIO_new(::BIO_s_mem()), &::BIO_free);
    write(to.get());
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(to.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
  }

  std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&::X509_free)> certificate_;
};

}  // namespace lockstep::testing
