// Where the `path` of an input or output points: on this machine, on the web, or somewhere this version can't reach.
#pragma once

#include <string>
#include <string_view>

#include "common/file.hpp"

namespace lockstep::plan {

struct Location {
  enum class Place { local, web, out_of_reach };
  Place place = Place::local;
  fs::path path;     // local: absolute and normal
  std::string need;  // out_of_reach: what it is, and what would be needed to use it
};

// `written` as the job file has it: a path (relative to `folder`), file:..., http(s)://..., azureml:..., wasbs://...
Location locate(std::string_view written, const fs::path& folder);

// What must stay secret of an address: user information and the query (a SAS token is one). A text that is no address
// has no such parts.
struct SecretParts {
  std::string login;
  std::string query;
};
SecretParts secret_parts(std::string_view address);
std::string without_secrets(std::string_view address);  // with ******** in their place
// With other parts in their place; empty ones stay as they are.
std::string with_parts(std::string_view address, const SecretParts& parts);

}  // namespace lockstep::plan
