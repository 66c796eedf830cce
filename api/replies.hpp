// Replies of /api/v1.
#pragma once

#include <string>
#include <utility>

#include "api/job_json.hpp"
#include "api/routes.hpp"

namespace lockstep::api {

inline std::string text_of(const Json& json) {  // logs and tags may have broken UTF-8
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

inline Reply json_reply(const Json& json) {
  Reply reply;
  reply.body = text_of(json);
  return reply;
}

template <class Handler>
Route get(const char* pattern, Handler handler) {
  return {.verb = Verb::get, .pattern = pattern, .access = Access::read, .handler = std::move(handler)};
}

}  // namespace lockstep::api
