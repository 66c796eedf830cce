#include "history/server/mlflow/uri.hpp"

#include <algorithm>
#include <charconv>

namespace lockstep::history::server::mlflow {

static std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

static bool is_scheme(const std::string& lower_case) {
  return !lower_case.empty() && lower_case[0] >= 'a' && lower_case[0] <= 'z' &&
         lower_case.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == std::string::npos;
}

Uri uri_of(const std::string& text) {
  Uri uri;
  uri.path = text.substr(0, text.find_first_of("?#"));
  const auto colon = uri.path.find(':');
  if (const std::string scheme = lower(uri.path.substr(0, colon)); colon != std::string::npos && is_scheme(scheme)) {
    uri.scheme = scheme;
    uri.path.erase(0, colon + 1);
  }
  if (uri.path.starts_with("//")) {
    const auto end = std::min(uri.path.find('/', 2), uri.path.size());
    uri.authority = uri.path.substr(2, end - 2);
    uri.path.erase(0, end);
  }
  return uri;
}

// Of each three characters %XX at the end of what is decoded so far, one is made at once. So a text that was encoded
// many times is decoded in one pass, whatever its length.
std::string percent_decoded(const std::string& text) {
  std::string decoded;
  for (const char c : text) {
    decoded += c;
    while (decoded.size() >= 3 && decoded[decoded.size() - 3] == '%') {
      unsigned value = 0;
      const char* const end = decoded.data() + decoded.size();
      if (std::from_chars(end - 2, end, value, 16).ptr != end) break;
      decoded.resize(decoded.size() - 3);
      decoded += static_cast<char>(value);
    }
  }
  return decoded;
}

std::vector<std::string> path_parts(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

static std::vector<std::string> decoded_parts(const std::string& path) {
  std::vector<std::string> parts = path_parts(path);
  std::transform(parts.begin(), parts.end(), parts.begin(), percent_decoded);
  return parts;
}

bool is_at_or_below(const std::string& text, const std::string& root_text) {
  const Uri uri = uri_of(text);
  const Uri root = uri_of(root_text);
  const auto parts = decoded_parts(uri.path);
  const auto root_parts = decoded_parts(root.path);
  return uri.scheme == root.scheme && lower(uri.authority) == lower(root.authority) && !root_parts.empty() &&
         root_parts.size() <= parts.size() && std::equal(root_parts.begin(), root_parts.end(), parts.begin());
}

}  // namespace lockstep::history::server::mlflow
