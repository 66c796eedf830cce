// --query: the part of JMESPath that job scripts use. docs/cli.md says what is in it:
//   name   a.b.c   "a key with spaces"   [0]   [-1]   [*]   []   @
// A missing key gives null, as in JMESPath. Filters, functions, pipes and multi-selects are refused.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::cli {

using Json = nlohmann::ordered_json;

class Query {
 public:
  explicit Query(std::string_view text);  // throws bad_input with the offset of what is not understood
  Json of(const Json& value) const;

 private:
  struct Step {
    enum class Kind { field, index, each, flatten } kind;
    std::string field;
    long index = 0;
  };
  static Json apply(const Json& value, const Step* begin, const Step* end);
  static Json evaluate(const Json& value, const Step* begin, const Step* end);
  std::vector<Step> steps_;
};

}  // namespace lockstep::cli
