// The members of one JSON object, asked for by name. What has another type, and what nobody asked for, is a mistake: a
// thing that is left out has its usual value, but a thing that is misspelt must not be taken for left out.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/store/values.hpp"

namespace lockstep::history::transfer {

class JsonMembers {
 public:
  JsonMembers(std::string what, simdjson::dom::element element);  // `what`: "run", for errors

  std::string text(const char* name);         // "" if left out
  std::string needed_text(const char* name);  // not empty
  std::int64_t integer(const char* name);     // 0
  std::optional<int> small_integer(const char* name);
  bool truth(const char* name);                   // false
  double number(const char* name);                // a number or "NaN", "Infinity", "-Infinity"
  std::vector<KeyValue> pairs(const char* name);  // an object of texts
  std::optional<simdjson::dom::array> list(const char* name);
  std::optional<simdjson::dom::object> object(const char* name);
  void end() const;  // throws bad_input if there is a member that was not asked for

  [[noreturn]] void fail(const std::string& why) const;  // bad_input

 private:
  struct Member {
    std::string_view name;
    simdjson::dom::element value;
    bool asked_for;
  };
  const simdjson::dom::element* find(const char* name);

  std::string what_;
  std::vector<Member> members_;
  std::vector<std::string> known_;
};

// As `number`; nullopt if it is none.
std::optional<double> number_of(simdjson::dom::element element);

}  // namespace lockstep::history::transfer
