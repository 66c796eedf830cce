#include "history/sink/report/http_client.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <utility>

#include "common/error.hpp"

namespace lockstep::history::report {

namespace {
constexpr std::size_t longest_reply = std::size_t{64} << 20;

bool begins_with_word(std::string_view line, std::string_view word) {
  return line.size() >= word.size() && std::equal(word.begin(), word.end(), line.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
         });
}

// libcurl is C: nothing may be thrown through it. What could throw here is std::bad_alloc, which nobody handles anyway.
std::size_t take_body(char* bytes, std::size_t one, std::size_t count, void* data) noexcept {
  auto& body = static_cast<HttpReply*>(data)->body;
  if (body.size() + one * count > longest_reply) return 0;  // ends the transfer
  body.append(bytes, one * count);
  return one * count;
}

// Retry-After in seconds; its other form, a date, is left to our own pace.
std::size_t take_header(char* bytes, std::size_t one, std::size_t count, void* data) noexcept {
  std::string_view line(bytes, one * count);
  constexpr std::string_view name = "retry-after:";
  if (begins_with_word(line, name)) {
    line.remove_prefix(std::min(line.find_first_not_of(' ', name.size()), line.size()));
    int seconds = 0;
    std::from_chars(line.data(), line.data() + line.size(), seconds);
    static_cast<HttpReply*>(data)->retry_after_s = std::max(seconds, 0);
  }
  return one * count;
}

int look_up(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<std::function<bool()>*>(data))() ? 1 : 0;
}

template <class Value>
void set(CURL* curl, CURLoption option, Value value) {
  const CURLcode code = curl_library().easy_setopt(curl, option, value);
  if (code != CURLE_OK) throw failure("libcurl: {}", curl_library().easy_strerror(code));
}
}  // namespace

void HttpClient::Closer::operator()(CURL* curl) const { curl_library().easy_cleanup(curl); }

HttpClient::HttpClient(ServerSettings settings, std::function<bool()> given_up)
    : settings_(std::move(settings)), given_up_(std::move(given_up)) {}

void HttpClient::set_server() {
  curl_.reset(curl_library().easy_init());
  if (!curl_) throw failure("libcurl could not be set up");
  CURL* const curl = curl_.get();
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings_.connect_s));
  set(curl, CURLOPT_TIMEOUT, static_cast<long>(settings_.total_s));
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_USERAGENT, "lockstep");
  // A kept connection that turns out to be dead makes libcurl send a request again by itself: then it may count twice.
  set(curl, CURLOPT_FRESH_CONNECT, 1L);
  set(curl, CURLOPT_FORBID_REUSE, 1L);
  set(curl, CURLOPT_WRITEFUNCTION, &take_body);
  set(curl, CURLOPT_HEADERFUNCTION, &take_header);
  set(curl, CURLOPT_NOPROGRESS, 0L);
  set(curl, CURLOPT_XFERINFOFUNCTION, &look_up);
  set(curl, CURLOPT_XFERINFODATA, &given_up_);
  if (!settings_.username.empty() && !settings_.password.empty()) {
    set(curl, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(curl, CURLOPT_USERNAME, settings_.username.c_str());
    set(curl, CURLOPT_PASSWORD, settings_.password.c_str());
  } else if (!settings_.token.empty()) {
    set(curl, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
    set(curl, CURLOPT_XOAUTH2_BEARER, settings_.token.c_str());
  }
  if (settings_.insecure_tls) {
    set(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    set(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!settings_.certificate_path.empty()) {
    const bool folder = std::filesystem::is_directory(settings_.certificate_path);
    set(curl, folder ? CURLOPT_CAPATH : CURLOPT_CAINFO, settings_.certificate_path.c_str());
  }
}

HttpReply HttpClient::get(const std::string& path) { return exchange(path, nullptr); }
HttpReply HttpClient::post(const std::string& path, const std::string& json) { return exchange(path, &json); }

HttpReply HttpClient::exchange(const std::string& path, const std::string* json) {
  set_server();
  CURL* const curl = curl_.get();
  HttpReply reply;
  set(curl, CURLOPT_URL, (settings_.uri + path).c_str());
  set(curl, CURLOPT_WRITEDATA, &reply);
  set(curl, CURLOPT_HEADERDATA, &reply);
  const auto free_list = [](curl_slist* list) { curl_library().slist_free_all(list); };
  std::unique_ptr<curl_slist, decltype(free_list)> headers(nullptr, free_list);
  if (json != nullptr) {
    set(curl, CURLOPT_POST, 1L);
    set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json->size()));
    set(curl, CURLOPT_POSTFIELDS, json->c_str());
    headers.reset(curl_library().slist_append(nullptr, "Content-Type: application/json"));
    headers.reset(curl_library().slist_append(headers.release(), "Expect:"));  // no wait for a "100 Continue"
    set(curl, CURLOPT_HTTPHEADER, headers.get());
  }
  const CURLcode code = curl_library().easy_perform(curl);
  if (code == CURLE_OK) {
    curl_library().easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
  } else {
    reply.problem = curl_library().easy_strerror(code);
    reply.was_sent = code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST;
  }
  curl_.reset();
  return reply;
}

}  // namespace lockstep::history::report
