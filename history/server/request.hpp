// A request and its reply as the handlers see them: nothing of sockets. Strings are decoded.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.hpp"
#include "history/store/values.hpp"

namespace lockstep::history {
class Store;
}

namespace lockstep::history::server {

enum class Verb { get, post, put, patch, del };

struct Request {
  Verb verb = Verb::get;
  std::string path;                   // without the query, '/' between its parts
  std::vector<KeyValue> query;        // in order; keys may repeat
  std::vector<std::string> captured;  // what the route's {...} stood for
  std::string base_url;               // "http://host:port" as the client calls us; no '/' at the end
  std::string content_type;
  std::string if_none_match;  // the header; "": the client has nothing of before
  std::string body;           // of routes with Body::in_memory
  fs::path uploaded;  // of routes with Body::to_file: a file that the handler moves away; what it leaves is removed

  // The first value of a key of the query; null: it has none.
  const std::string* query_value(std::string_view key) const;
};

// Server-sent events. `next` is called by a reader's thread, and again after each pause, until the client goes.
struct EventSource {
  std::function<std::optional<std::string>(Store&)> next;  // what is new: whole events, or ""; nullopt: that was all
  std::chrono::milliseconds pause{500};
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  fs::path file;                      // not empty: its bytes are the body
  std::optional<EventSource> events;  // set: they are the body
  std::vector<KeyValue> headers;      // further ones
};

}  // namespace lockstep::history::server
