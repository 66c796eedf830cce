// The fields of a request to MLflow's API, from the query of a GET or the JSON body of the others, checked as MLflow
// checks them and with its messages. Unknown fields are ignored, null is the same as absent. Every call throws
// MlflowError for what it refuses.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "history/server/request.hpp"
#include "history/store/values.hpp"

namespace lockstep::history::server::mlflow {

class Fields {
 public:
  explicit Fields(const Request& request);
  explicit Fields(nlohmann::json object) : fields_(std::move(object)) {}  // an object that a request has in it

  bool has(const char* name) const;

  std::string required_text(const char* name) const;  // empty is missing
  std::string text(const char* name) const;           // absent: empty
  std::optional<std::string> optional_text(const char* name) const;

  std::int64_t required_integer(const char* name) const;
  std::optional<std::int64_t> integer(const char* name) const;  // a number, or its decimal text, as MLflow takes both
  int max_results(int by_default, int at_most) const;

  double required_number(const char* name) const;  // "NaN", "Infinity", "-Infinity" too
  bool boolean(const char* name) const;            // absent: false

  std::vector<std::string> texts(const char* name) const;       // a list; absent: empty
  std::vector<KeyValue> key_values(const char* name) const;     // [{"key": ..., "value": ...}]; absent: empty
  std::vector<nlohmann::json> objects(const char* name) const;  // a list of objects; absent: empty
  const nlohmann::json& object() const { return fields_; }      // all of it

 private:
  const nlohmann::json* find(const char* name) const;  // null: absent, or null

  bool from_query_ = false;
  nlohmann::json fields_;
};

// "Missing value for required parameter 'x'. See the API docs for more information about request parameters."
[[noreturn]] void missing_value(const std::string& name);
// "Invalid value <json> for parameter 'x' supplied: <why>"; empty: "... supplied."
[[noreturn]] void invalid_value(const std::string& name, const nlohmann::json& value, const std::string& why);

}  // namespace lockstep::history::server::mlflow
