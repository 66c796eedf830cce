// One conditional GET by libcurl.
#pragma once

#include "launcher/compute/fetch.hpp"

namespace lockstep::compute {

// What a server said about a file, to be sent back when asking whether it changed (RFC 9110, 13.1).
struct Validators {
  std::string etag;
  std::string last_modified;
  bool empty() const { return etag.empty() && last_modified.empty(); }
};

struct Answer {
  bool unchanged = false;  // 304; otherwise the body has been written
  Validators validators;
  std::string sha256;
  std::uint64_t bytes = 0;
};

// Writes the body to `target`. Follows redirects, but never from https to http. Throws failure.
Answer download(const std::string& address, const Validators& known, int target, const FetchLimits& limits,
                const std::function<void(const std::string&)>& say, const std::function<bool()>& canceled);

}  // namespace lockstep::compute
