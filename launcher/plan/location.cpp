#include "launcher/plan/location.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "launcher/spec/read_job.hpp"

namespace lockstep::plan {

namespace {
struct OtherScheme {
  std::string_view prefix;  // the longest match counts, so the order is from special to general
  std::string_view need;
};

constexpr std::string_view storage_need =
    "an address in cloud storage, which this version has no client for; give a local copy, or for a single file its "
    "https address (with a SAS token if it is private)";

constexpr std::array<OtherScheme, 17> other_schemes{{
    {"azureml://datastores/",
     "a path on a datastore, and this version mounts no datastores; give a local copy, or for "
     "a single file its https address"},
    {"azureml://registries/", "an asset of a registry, and this version reads no registries; give a local copy"},
    {"azureml://jobs/", "an output of another job of a workspace in Azure; give the local path of that output"},
    {"azureml:",
     "a registered asset, and this version keeps no asset registry; give the local path of the data, or "
     "for a single file its https address"},
    {"runs:",
     "an artifact of another run, and this version resolves no such references; give its path under "
     ".lockstep/runs/<run_id>/outputs"},
    {"wasbs:", storage_need},
    {"wasb:", storage_need},
    {"abfss:", storage_need},
    {"abfs:", storage_need},
    {"adl:", storage_need},
    {"s3:", storage_need},
    {"gs:", storage_need},
    {"hdfs:", storage_need},
    {"dbfs:", storage_need},
    {"git+", "a git repository, and this version checks none out; clone it and give the local folder"},
    {"git@", "a git repository, and this version checks none out; clone it and give the local folder"},
    {"ftp:", "an FTP address, and this version fetches http and https only; give a local copy"},
}};

// A scheme counts whatever its case (RFC 3986, 3.1).
bool starts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), [](unsigned char expected, unsigned char have) {
           return expected == static_cast<unsigned char>(std::tolower(have));
         });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool coded =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    result += coded ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (coded) i += 2;
  }
  return result;
}

// file:///absolute and file://localhost/absolute are URIs (percent-encoded); file:./x and file:x are Azure ML's way to
// say "this is a path", and are taken as they stand.
std::string path_of_file_address(std::string_view address) {
  std::string_view rest = address.substr(std::string_view("file:").size());
  if (!starts_with(rest, "//")) return std::string(rest);
  rest.remove_prefix(2);
  if (starts_with(rest, "localhost/")) rest.remove_prefix(std::string_view("localhost").size());
  return percent_decoded(rest);
}

fs::path absolute_in(const fs::path& folder, const fs::path& path) {
  fs::path normal = (folder / path).lexically_normal();
  if (!normal.has_filename() && normal.has_relative_path()) normal = normal.parent_path();  // a trailing slash
  return normal;
}
}  // namespace

Location locate(std::string_view written, const fs::path& folder) {
  if (starts_with(written, "http://") || starts_with(written, "https://")) return {Location::Place::web, {}, {}};
  for (const auto& other : other_schemes) {
    if (starts_with(written, other.prefix)) return {Location::Place::out_of_reach, {}, std::string(other.need)};
  }
  if (starts_with(written, "file:")) {
    return {Location::Place::local, absolute_in(folder, path_of_file_address(written)), {}};
  }
  const auto scheme_end = written.find("://");
  if (scheme_end != std::string_view::npos && written.substr(0, scheme_end).find('/') == std::string_view::npos) {
    return {Location::Place::out_of_reach,
            {},
            "an address of a kind that this version does not know; it knows local "
            "paths, file:, http: and https:"};
  }
  return {Location::Place::local, absolute_in(folder, written), {}};
}

namespace {
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};
struct SecretSpans {
  Span login;  // empty ones are not there
  Span query;
};

SecretSpans secret_spans(std::string_view address) {
  SecretSpans spans;
  const auto scheme_end = address.find("://");
  if (scheme_end == std::string_view::npos) return spans;
  const std::size_t host = scheme_end + 3;
  const std::size_t host_end = std::min(address.find_first_of("/?#", host), address.size());
  const auto at = address.substr(0, host_end).rfind('@');
  const bool names_container = starts_with(address, "wasb") || starts_with(address, "abfs");  // container@account
  if (at != std::string_view::npos && at >= host && !names_container) spans.login = {host, at};
  const std::size_t query = address.find('?', host);
  if (query != std::string_view::npos) spans.query = {query + 1, address.size()};
  return spans;
}
}  // namespace

SecretParts secret_parts(std::string_view address) {
  const auto [login, query] = secret_spans(address);
  return {std::string(address.substr(login.begin, login.end - login.begin)),
          std::string(address.substr(query.begin, query.end - query.begin))};
}

std::string with_parts(std::string_view address, const SecretParts& parts) {
  const auto [login, query] = secret_spans(address);
  std::string text(address);
  if (query.begin > 0 && !parts.query.empty()) text.replace(query.begin, query.end - query.begin, parts.query);
  if (login.begin > 0 && !parts.login.empty()) text.replace(login.begin, login.end - login.begin, parts.login);
  return text;
}

std::string without_secrets(std::string_view address) {
  return with_parts(address, {std::string(spec::masked), std::string(spec::masked)});
}

}  // namespace lockstep::plan
