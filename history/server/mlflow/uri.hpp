// URIs of artifacts, read as MLflow reads them.
#pragma once

#include <string>
#include <vector>

namespace lockstep::history::server::mlflow {

struct Uri {
  std::string scheme;  // in lower case; empty: a plain path
  std::string authority;
  std::string path;  // as it stands, up to a query or fragment
};
Uri uri_of(const std::string& text);

// Without %XX, also where they were encoded several times.
std::string percent_decoded(const std::string& text);

std::vector<std::string> path_parts(const std::string& path);  // those that aren't empty

// Whether `uri` is `root` or below it: of the same scheme and authority, with the parts of its path first.
bool is_at_or_below(const std::string& uri, const std::string& root);

}  // namespace lockstep::history::server::mlflow
