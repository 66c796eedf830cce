#include "history/server/mlflow/fields.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include "history/server/mlflow/error.hpp"

namespace lockstep::history::server::mlflow {

using nlohmann::json;

static constexpr const char* hint = " See the API docs for more information about request parameters.";

// Python's spelling, which MLflow's messages have.
static std::string dumped(const json& value) { return value.dump(-1, ' ', true, json::error_handler_t::replace); }

static const char* python_type(const json& value) {
  switch (value.type()) {
    case json::value_t::object:
      return "dict";
    case json::value_t::array:
      return "list";
    case json::value_t::string:
      return "str";
    case json::value_t::boolean:
      return "bool";
    case json::value_t::number_float:
      return "float";
    case json::value_t::null:
      return "NoneType";
    default:
      return "int";
  }
}

void missing_value(const std::string& name) {
  throw invalid_parameter("Missing value for required parameter '{}'.{}", name, hint);
}

void invalid_value(const std::string& name, const json& value, const std::string& why) {
  throw invalid_parameter("Invalid value {} for parameter '{}' supplied{}", dumped(value), name,
                          why.empty() ? "." : ": " + why);
}

[[noreturn]] static void wrong_type(const std::string& name, const json& value) {
  invalid_value(name, value, fmt::format(" Hint: Value was of type '{}'.{}", python_type(value), hint));
}

// Values that occur once are kept as text, those that repeat as a list of texts.
static json object_of(const std::vector<KeyValue>& query) {
  json object = json::object();
  for (const auto& [key, value] : query) {
    auto found = object.find(key);
    if (found == object.end()) {
      object[key] = value;
    } else {
      if (!found->is_array()) *found = json::array({*found});
      found->push_back(value);
    }
  }
  return object;
}

// The parser itself does not recurse, but what it makes is freed, compared and printed by recursion.
static json parsed(const std::string& body) {
  const int deepest = 64;
  const json::parser_callback_t shallow = [deepest](int depth, json::parse_event_t, json&) {
    if (depth > deepest) throw invalid_parameter("The request is nested more than {} deep", deepest);
    return true;
  };
  json object = json::parse(body, shallow, false);
  if (object.is_string()) object = json::parse(object.get<std::string>(), shallow, false);  // clients of long ago
  if (object.is_discarded()) return json::object();  // MLflow takes what is no JSON as nothing
  return object;
}

Fields::Fields(const Request& request) : from_query_(request.verb == Verb::get && !request.query.empty()) {
  if (from_query_) {
    fields_ = object_of(request.query);
    return;
  }
  const bool is_json = request.content_type.empty() || request.content_type.starts_with("application/json");
  if (!request.body.empty() && !is_json) {
    throw MlflowError(ErrorCode::bad_request, "Bad Request. Content-Type must be one of ['application/json'].");
  }
  fields_ = request.body.empty() ? json::object() : parsed(request.body);
  if (fields_.is_null()) fields_ = json::object();
  if (!fields_.is_object()) {
    throw invalid_parameter("The request must be a JSON object, not a {}", python_type(fields_));
  }
}

const json* Fields::find(const char* name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() || found->is_null() ? nullptr : &*found;
}

bool Fields::has(const char* name) const { return find(name) != nullptr; }

std::optional<std::string> Fields::optional_text(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) wrong_type(name, *value);
  return value->get<std::string>();
}

std::string Fields::text(const char* name) const { return optional_text(name).value_or(""); }

std::string Fields::required_text(const char* name) const {
  std::string value = text(name);
  if (value.empty()) missing_value(name);
  return value;
}

// A number without a fraction, or its decimal digits.
static std::optional<std::int64_t> integer_in(const json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) return {};
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::abs(number) < 9e15 && number == std::floor(number)) return static_cast<std::int64_t>(number);
    return std::nullopt;
  }
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> Fields::integer(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  const auto number = integer_in(*value);
  if (!number) wrong_type(name, *value);
  return number;
}

static bool is_empty_text(const json& value) {
  return value.is_string() && value.get_ref<const std::string&>().empty();
}

std::int64_t Fields::required_integer(const char* name) const {
  const json* value = find(name);
  if (value == nullptr || is_empty_text(*value)) missing_value(name);
  const auto number = integer_in(*value);
  if (!number) wrong_type(name, *value);
  return *number;
}

int Fields::max_results(int by_default, int at_most) const {
  const auto wanted = integer("max_results");
  if (!wanted) return by_default;
  if (*wanted > at_most) {
    wrong_type("max_results", fields_["max_results"]);
  }
  if (*wanted < 1) {
    throw invalid_parameter("Invalid value {} for parameter 'max_results' supplied. It must be at least 1", *wanted);
  }
  return static_cast<int>(*wanted);
}

double Fields::required_number(const char* name) const {
  const json* value = find(name);
  if (value == nullptr || is_empty_text(*value)) missing_value(name);
  if (value->is_number()) return value->get<double>();
  if (!value->is_string()) wrong_type(name, *value);
  const auto& text = value->get_ref<const std::string&>();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) wrong_type(name, *value);
  return number;
}

bool Fields::boolean(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  if (from_query_ && value->is_string()) {
    if (*value == "true" || *value == "True") return true;
    if (*value == "false" || *value == "False") return false;
    throw invalid_parameter("Invalid boolean value: {}, must be 'true' or 'false'.", value->get<std::string>());
  }
  wrong_type(name, *value);
}

std::vector<std::string> Fields::texts(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return {};
  if (from_query_ && value->is_string()) return {value->get<std::string>()};
  if (!value->is_array()) wrong_type(name, *value);
  std::vector<std::string> all;
  for (const json& each : *value) {
    if (!each.is_string()) wrong_type(name, *value);
    all.push_back(each.get<std::string>());
  }
  return all;
}

std::vector<json> Fields::objects(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return {};
  if (!value->is_array()) wrong_type(name, *value);
  for (const json& each : *value) {
    if (!each.is_object()) wrong_type(name, *value);
  }
  return value->get<std::vector<json>>();
}

std::vector<KeyValue> Fields::key_values(const char* name) const {
  std::vector<KeyValue> all;
  for (const json& each : objects(name)) {
    const std::string place = fmt::format("{}[{}]", name, all.size());
    KeyValue pair;
    for (const auto& [member, to] : {std::pair("key", &pair.key), std::pair("value", &pair.value)}) {
      const auto found = each.find(member);
      if (found == each.end() || found->is_null()) continue;
      if (!found->is_string()) wrong_type(place + "." + member, *found);
      *to = found->get<std::string>();
    }
    if (pair.key.empty()) missing_value(place + ".key");
    all.push_back(std::move(pair));
  }
  return all;
}

}  // namespace lockstep::history::server::mlflow
