#include "launcher/compute/download.hpp"

#include <algorithm>
#include <cctype>
#include <exception>
#include <memory>

#include "common/clock.hpp"
#include "common/curl_library.hpp"
#include "common/digest_stream.hpp"
#include "common/error.hpp"
#include "launcher/compute/megabytes.hpp"
#include "launcher/plan/location.hpp"

namespace lockstep::compute {

namespace {
constexpr std::int64_t progress_every_ms = 2000;

struct Transfer {
  const FetchLimits& limits;
  const std::function<void(const std::string&)>& say;
  const std::function<bool()>& canceled;
  int target;
  std::int64_t started_ms = monotonic_ms();
  std::int64_t last_said_ms = started_ms;
  bool was_canceled = false;
  std::exception_ptr error;  // libcurl is C: nothing may be thrown through it
  DigestStream digest;
  Answer answer;
};

std::string trimmed(std::string_view text) {
  const auto is_blank = [](unsigned char c) { return std::isspace(c) != 0; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::size_t take_header(char* bytes, std::size_t one, std::size_t count, void* data) {
  auto& validators = static_cast<Transfer*>(data)->answer.validators;
  const std::string_view line(bytes, one * count);
  if (line.starts_with("HTTP/")) validators = {};  // of a redirect: the last answer's count
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return one * count;
  if (same_word(line.substr(0, colon), "etag")) validators.etag = trimmed(line.substr(colon + 1));
  if (same_word(line.substr(0, colon), "last-modified")) validators.last_modified = trimmed(line.substr(colon + 1));
  return one * count;
}

std::size_t take_body(char* bytes, std::size_t one, std::size_t count, void* data) {
  auto& transfer = *static_cast<Transfer*>(data);
  const std::string_view body(bytes, one * count);
  try {
    transfer.answer.bytes += body.size();
    if (transfer.answer.bytes > transfer.limits.cache_bytes) {
      throw failure("it is larger than the whole cache may be ({}); raise LOCKSTEP_CACHE_LIMIT_MB",
                    size_text(transfer.limits.cache_bytes));
    }
    transfer.digest.add(body);
    write_all(transfer.target, body);
    return body.size();
  } catch (...) {
    transfer.error = std::current_exception();
    return 0;  // ends the transfer
  }
}

int take_progress(void* data, curl_off_t total, curl_off_t done, curl_off_t /*to send*/, curl_off_t /*sent*/) {
  auto& transfer = *static_cast<Transfer*>(data);
  try {
    transfer.was_canceled = transfer.canceled();
    const std::int64_t now = monotonic_ms();
    if (done > 0 && now - transfer.last_said_ms >= progress_every_ms) {
      transfer.last_said_ms = now;
      const double bytes_per_ms = static_cast<double>(done) / static_cast<double>(now - transfer.started_ms);
      std::string line = fmt::format("{} fetched", size_text(static_cast<std::uint64_t>(done)));
      if (total > done) {
        line = fmt::format("{} of {} fetched, {} left", size_text(static_cast<std::uint64_t>(done)),
                           size_text(static_cast<std::uint64_t>(total)),
                           duration_text(static_cast<std::int64_t>(static_cast<double>(total - done) / bytes_per_ms)));
      }
      transfer.say(line);
    }
    return transfer.was_canceled ? 1 : 0;
  } catch (...) {
    transfer.error = std::current_exception();
    return 1;
  }
}

struct CurlCloser {
  void operator()(CURL* curl) const { curl_library().easy_cleanup(curl); }
};
struct ListCloser {
  void operator()(curl_slist* list) const { curl_library().slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, CurlCloser>;
using Headers = std::unique_ptr<curl_slist, ListCloser>;

Curl new_curl() {
  Curl curl(curl_library().easy_init());
  if (!curl) throw failure("libcurl could not be set up");
  return curl;
}

Headers conditions(const Validators& known) {
  curl_slist* list = nullptr;
  if (!known.etag.empty()) list = curl_library().slist_append(list, ("If-None-Match: " + known.etag).c_str());
  if (!known.last_modified.empty()) {
    list = curl_library().slist_append(list, ("If-Modified-Since: " + known.last_modified).c_str());
  }
  return Headers(list);
}

template <class Value>
void set(const Curl& curl, CURLoption option, Value value) {
  const CURLcode code = curl_library().easy_setopt(curl.get(), option, value);
  if (code != CURLE_OK) throw failure("libcurl: {}", curl_library().easy_strerror(code));
}

void set_limits(const Curl& curl, const std::string& address, const FetchLimits& limits) {
  const bool secure = same_word(std::string_view(address).substr(0, 6), "https:");
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
  set(curl, CURLOPT_FOLLOWLOCATION, 1L);
  set(curl, CURLOPT_MAXREDIRS, static_cast<long>(limits.redirects));
  set(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(limits.connect_s));
  set(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.stall_s));
  set(curl, CURLOPT_FAILONERROR, 1L);
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_USERAGENT, "lockstep");
}

std::string status_text(long status) {
  if (status == 401 || status == 403) {
    return fmt::format(
        "the server refuses access ({}); a private file needs its token in the address, and tokens expire", status);
  }
  if (status == 404 || status == 410) return fmt::format("the server has no such file ({})", status);
  if (status == 429 || status >= 500)
    return fmt::format("the server is in trouble or busy ({}); try again later", status);
  return fmt::format("the server answered with status {}", status);
}

std::string reason_of(CURLcode code, const Curl& curl, const FetchLimits& limits, std::uint64_t bytes) {
  long status = 0;
  curl_library().easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  switch (code) {
    case CURLE_HTTP_RETURNED_ERROR:
      return status_text(status);
    case CURLE_COULDNT_RESOLVE_HOST:
      return "no host of this name is known; check the address and the network";
    case CURLE_COULDNT_CONNECT:
      return "nobody answers there; check the address and the network";
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format("nothing came for {} s after {}", status == 0 ? limits.connect_s : limits.stall_s,
                         size_text(bytes));
    case CURLE_TOO_MANY_REDIRECTS:
      return fmt::format("more than {} redirects", limits.redirects);
    case CURLE_PARTIAL_FILE:
      return fmt::format("the connection ended after {}, before the whole file had come; try again", size_text(bytes));
    default:
      return curl_library().easy_strerror(code);
  }
}
}  // namespace

Answer download(const std::string& address, const Validators& known, int target, const FetchLimits& limits,
                const std::function<void(const std::string&)>& say, const std::function<bool()>& canceled) {
  const Curl curl = new_curl();
  const Headers headers = conditions(known);
  Transfer transfer{
      .limits = limits, .say = say, .canceled = canceled, .target = target, .error = {}, .digest = {}, .answer = {}};
  set_limits(curl, address, limits);
  set(curl, CURLOPT_URL, address.c_str());
  set(curl, CURLOPT_HTTPHEADER, headers.get());
  set(curl, CURLOPT_HEADERFUNCTION, &take_header);
  set(curl, CURLOPT_HEADERDATA, &transfer);
  set(curl, CURLOPT_WRITEFUNCTION, &take_body);
  set(curl, CURLOPT_WRITEDATA, &transfer);
  set(curl, CURLOPT_NOPROGRESS, 0L);
  set(curl, CURLOPT_XFERINFOFUNCTION, &take_progress);
  set(curl, CURLOPT_XFERINFODATA, &transfer);
  const CURLcode code = curl_library().easy_perform(curl.get());
  if (transfer.was_canceled) throw failure("canceled");
  const std::string shown = plan::without_secrets(address);
  try {
    if (transfer.error) std::rethrow_exception(transfer.error);
  } catch (const std::exception& error) {
    throw failure("cannot fetch {}: {}", shown, error.what());
  }
  if (code != CURLE_OK) {
    throw failure("cannot fetch {}: {}", shown, reason_of(code, curl, limits, transfer.answer.bytes));
  }
  long status = 0;
  curl_library().easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  transfer.answer.unchanged = status == 304;
  if (!transfer.answer.unchanged && status != 200) {
    throw failure("cannot fetch {}: the server answered with status {}", shown, status);
  }
  transfer.answer.sha256 = transfer.digest.hex();
  return transfer.answer;
}

}  // namespace lockstep::compute
