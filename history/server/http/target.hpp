// The target of a request line: "/a%20b?x=1&x=2" -> path "/a b", query x=1, x=2.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/store/values.hpp"

namespace lockstep::history::server::http {

struct Target {
  std::string path;  // begins with '/', decoded; a '/' that was written as %2F stands there like any other
  std::vector<KeyValue> query;
};

// nullopt: not of the form "/...", a '%' without two hexadecimal digits, or a NUL.
std::optional<Target> parse_target(std::string_view text);

}  // namespace lockstep::history::server::http
