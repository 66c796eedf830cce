// is_secret: by the words of a name. TOKENIZERS_PARALLELISM and MAX_TOKENS are no secrets, HF_TOKEN is one.
#include <algorithm>
#include <array>
#include <cctype>

#include "launcher/spec/read_job.hpp"

namespace lockstep::spec {

static bool is_secret_word(std::string_view word) {
  static constexpr std::array<std::string_view, 8> anywhere = {"PASSWORD",   "PASSWD", "PASSPHRASE", "SECRET",
                                                               "CREDENTIAL", "APIKEY", "ACCESSKEY",  "PRIVATEKEY"};
  static constexpr std::array<std::string_view, 6> whole = {"SAS", "PAT", "PASS", "AUTH", "AUTHORIZATION", "TOKEN"};
  const auto contains = [&](std::string_view part) { return word.find(part) != std::string_view::npos; };
  if (std::any_of(anywhere.begin(), anywhere.end(), contains)) return true;
  return word.ends_with("TOKEN") || std::find(whole.begin(), whole.end(), word) != whole.end();
}

bool is_secret(std::string_view variable_name) {
  std::string name(variable_name);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::isalnum(c) != 0 ? static_cast<char>(std::toupper(c)) : '_'; });
  if (name.ends_with("_KEY") || name.ends_with("_PWD") || name.find("CONNECTION_STRING") != std::string::npos)
    return true;
  std::string_view rest = name;
  while (true) {
    const std::size_t end = std::min(rest.find('_'), rest.size());
    if (is_secret_word(rest.substr(0, end))) return true;
    if (end == rest.size()) return false;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace lockstep::spec
