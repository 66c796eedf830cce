// The query of a request, read strictly: what is not in the list is refused, with the nearest that is.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "api/routes.hpp"

namespace lockstep::api {

class Parameters {
 public:
  // Throws bad_input for a key that is not known, or comes twice and is not `repeated`.
  Parameters(const Request& request, std::vector<std::string> known, const std::string& repeated = "");

  std::string text(const std::string& key) const;  // "" if it is not there
  std::vector<std::string> all(const std::string& key) const;
  bool truth(const std::string& key) const;  // false if it is not there; throws unless it is true or false
  std::int64_t number(const std::string& key, std::int64_t otherwise,
                      std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                      std::int64_t most = std::numeric_limits<std::int64_t>::max()) const;

 private:
  std::vector<history::KeyValue> query_;
};

// Of a POST: an object, or nothing. Throws bad_input for anything else, and for members that are not known.
std::string text_member(const Request& request, const std::string& key);

}  // namespace lockstep::api
