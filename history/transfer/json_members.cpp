#include "history/transfer/json_members.hpp"

#include <algorithm>
#include <limits>

#include "common/error.hpp"
#include "common/nearest.hpp"

namespace lockstep::history::transfer {

namespace dom = simdjson::dom;

static constexpr std::size_t most_members = 64;

JsonMembers::JsonMembers(std::string what, dom::element element) : what_(std::move(what)) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) fail("it must be an object");
  for (const dom::key_value_pair& each : object) {
    if (members_.size() == most_members) fail("it has too many members");
    const auto same = [&](const Member& member) { return member.name == each.key; };
    if (std::any_of(members_.begin(), members_.end(), same)) fail(fmt::format("'{}' is there twice", each.key));
    members_.push_back({each.key, each.value, false});
  }
}

void JsonMembers::fail(const std::string& why) const { throw bad_input("{}: {}", what_, why); }

const dom::element* JsonMembers::find(const char* name) {
  known_.emplace_back(name);
  for (Member& each : members_) {
    if (each.name != name) continue;
    each.asked_for = true;
    return &each.value;
  }
  return nullptr;
}

std::string JsonMembers::text(const char* name) {
  const dom::element* found = find(name);
  std::string_view text;
  if (found != nullptr && found->get(text) != simdjson::SUCCESS) fail(fmt::format("'{}' must be a text", name));
  return std::string(text);
}

std::string JsonMembers::needed_text(const char* name) {
  std::string found = text(name);
  if (found.empty()) fail(fmt::format("'{}' is missing", name));
  return found;
}

std::int64_t JsonMembers::integer(const char* name) {
  const dom::element* found = find(name);
  std::int64_t number = 0;
  if (found != nullptr && found->get(number) != simdjson::SUCCESS) fail(fmt::format("'{}' must be an integer", name));
  return number;
}

std::optional<int> JsonMembers::small_integer(const char* name) {
  const dom::element* found = find(name);
  if (found == nullptr) return std::nullopt;
  std::int64_t number = 0;
  const bool is_integer = found->get(number) == simdjson::SUCCESS;
  if (!is_integer || number != static_cast<int>(number)) fail(fmt::format("'{}' must be an integer of 32 bits", name));
  return static_cast<int>(number);
}

bool JsonMembers::truth(const char* name) {
  const dom::element* found = find(name);
  bool truth = false;
  if (found != nullptr && found->get(truth) != simdjson::SUCCESS) fail(fmt::format("'{}' must be true or false", name));
  return truth;
}

std::optional<double> number_of(dom::element element) {
  double number = 0;
  if (element.get(number) == simdjson::SUCCESS) return number;
  std::string_view word;
  if (element.get(word) != simdjson::SUCCESS) return std::nullopt;
  constexpr auto limits = std::numeric_limits<double>();
  if (word == "NaN") return limits.quiet_NaN();
  if (word == "Infinity") return limits.infinity();
  if (word == "-Infinity") return -limits.infinity();
  return std::nullopt;
}

double JsonMembers::number(const char* name) {
  const dom::element* found = find(name);
  if (found == nullptr) fail(fmt::format("'{}' is missing", name));
  const auto number = number_of(*found);
  if (!number) fail(fmt::format("'{}' must be a number, \"NaN\", \"Infinity\" or \"-Infinity\"", name));
  return *number;
}

std::vector<KeyValue> JsonMembers::pairs(const char* name) {
  std::vector<KeyValue> all;
  const auto found = object(name);
  if (!found) return all;
  for (const dom::key_value_pair& each : *found) {
    std::string_view value;
    if (each.value.get(value) != simdjson::SUCCESS) {
      fail(fmt::format("the value of '{}' in '{}' must be a text", each.key, name));
    }
    all.push_back({std::string(each.key), std::string(value)});
  }
  return all;
}

std::optional<dom::array> JsonMembers::list(const char* name) {
  const dom::element* found = find(name);
  if (found == nullptr) return std::nullopt;
  dom::array array;
  if (found->get(array) != simdjson::SUCCESS) fail(fmt::format("'{}' must be a list", name));
  return array;
}

std::optional<dom::object> JsonMembers::object(const char* name) {
  const dom::element* found = find(name);
  if (found == nullptr) return std::nullopt;
  dom::object object;
  if (found->get(object) != simdjson::SUCCESS) fail(fmt::format("'{}' must be an object", name));
  return object;
}

void JsonMembers::end() const {
  for (const Member& each : members_) {
    if (!each.asked_for) {
      fail(fmt::format("unknown member '{}'{}", each.name.substr(0, 60), did_you_mean(each.name, known_)));
    }
  }
}

}  // namespace lockstep::history::transfer
