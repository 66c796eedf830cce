#include "history/server/http/permits.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>

namespace lockstep::history::server::http {

static constexpr std::chrono::seconds remembered_for(1);
static constexpr std::size_t most_known = 10'000;

std::optional<Permit> Permits::known(const std::string& token) {
  const auto found = known_.find(token);
  if (found == known_.end()) return std::nullopt;
  if (Clock::now() < found->second.until) return found->second.permit;
  known_.erase(found);
  return std::nullopt;
}

void Permits::remember(const std::string& token, const Permit& permit) {
  if (known_.size() >= most_known) known_.clear();
  known_.insert_or_assign(token, Known{permit, Clock::now() + remembered_for});
}

// What stands behind "<scheme> "; nullopt: it is another scheme.
static std::optional<std::string_view> behind(std::string_view scheme, std::string_view authorization) {
  if (!boost::beast::iequals(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
  authorization.remove_prefix(scheme.size());
  return authorization.substr(std::min(authorization.find_first_not_of(' '), authorization.size()));
}

static std::string password_of(std::string_view base64) {
  if (base64.empty() || base64.size() % 4 != 0) return {};
  std::string bytes(base64.size() / 4 * 3, '\0');
  const int decoded =
      ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
  if (decoded < 0) return {};
  // It counts the bytes that '=' stands for.
  bytes.resize(static_cast<std::size_t>(decoded) - (base64.ends_with("==") ? 2 : base64.ends_with('=') ? 1 : 0));
  const auto colon = bytes.find(':');
  return colon == std::string::npos ? "" : bytes.substr(colon + 1);
}

std::string bearer_of(std::string_view authorization) {
  if (const auto token = behind("bearer ", authorization)) return std::string(*token);
  if (const auto base64 = behind("basic ", authorization)) return password_of(*base64);
  return {};
}

}  // namespace lockstep::history::server::http
