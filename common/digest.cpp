#include "common/digest.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "common/error.hpp"

namespace lockstep {

static std::string hex(const unsigned char* bytes, std::size_t count) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

namespace {
class Sha256 {
 public:
  Sha256() { check(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr)); }
  void add(const void* bytes, std::size_t count) { check(EVP_DigestUpdate(context_.get(), bytes, count)); }
  std::string finish() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    check(EVP_DigestFinal_ex(context_.get(), digest, &length));
    return hex(digest, length);
  }

 private:
  static void check(int ok) {
    if (ok != 1) throw failure("libcrypto could not compute a SHA-256 digest");
  }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};
}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Sha256 digest;
  digest.add(bytes.data(), bytes.size());
  return digest.finish();
}

std::string sha256_hex_of_file(const fs::path& path) {
  const Fd fd = open_file(path, O_RDONLY);
  Sha256 digest;
  std::vector<char> buffer(1 << 18);
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0) throw system_failure("cannot read " + path.string());
    if (got == 0) return digest.finish();
    digest.add(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string random_hex(int digits) {
  std::vector<unsigned char> bytes(static_cast<std::size_t>(digits + 1) / 2);
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw failure("no random numbers to be had");
  return hex(bytes.data(), bytes.size()).substr(0, static_cast<std::size_t>(digits));
}

}  // namespace lockstep
