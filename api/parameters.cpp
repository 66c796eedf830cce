#include "api/parameters.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "common/nearest.hpp"

namespace lockstep::api {

static Error unknown(const char* what, const std::string& key, const std::vector<std::string>& known) {
  const auto near = nearest(key, known);
  return bad_input("there is no {} '{}'{}", what, key, near ? "; did you mean '" + *near + "'?" : "");
}

Parameters::Parameters(const Request& request, std::vector<std::string> known, const std::string& repeated)
    : query_(request.query) {
  if (!repeated.empty()) known.push_back(repeated);
  for (const auto& each : query_) {
    if (std::find(known.begin(), known.end(), each.key) == known.end()) throw unknown("parameter", each.key, known);
    if (each.key != repeated && all(each.key).size() > 1) throw bad_input("{} is given twice", each.key);
  }
}

std::string Parameters::text(const std::string& key) const {
  const auto found = std::find_if(query_.begin(), query_.end(), [&](const auto& each) { return each.key == key; });
  return found == query_.end() ? "" : found->value;
}

std::vector<std::string> Parameters::all(const std::string& key) const {
  std::vector<std::string> values;
  for (const auto& each : query_) {
    if (each.key == key) values.push_back(each.value);
  }
  return values;
}

bool Parameters::truth(const std::string& key) const {
  const std::string given = text(key);
  if (given.empty() || given == "false") return false;
  if (given == "true") return true;
  throw bad_input("{} is '{}'; it must be true or false", key, given);
}

std::int64_t Parameters::number(const std::string& key, std::int64_t otherwise, std::int64_t least,
                                std::int64_t most) const {
  const std::string given = text(key);
  if (given.empty()) return otherwise;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
  if (error != std::errc() || end != given.data() + given.size() || number < least || number > most) {
    throw bad_input("{} is '{}'; it must be a whole number from {} to {}", key, given, least, most);
  }
  return number;
}

std::string text_member(const Request& request, const std::string& key) {
  if (request.body.empty()) return "";
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object()) throw bad_input("the body must be a JSON object");
  std::string text;
  for (const auto& [name, value] : body.items()) {
    if (name != key) throw unknown("member", name, {key});
    if (!value.is_string()) throw bad_input("{} must be a string", key);
    text = value.get<std::string>();
  }
  return text;
}

}  // namespace lockstep::api
