// JSON written straight into a string: for replies that may be long. Replies of a few fields use nlohmann::json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lockstep::history::server {

// Commas are put where they belong. Members and elements come in the order of the calls.
class JsonText {
 public:
  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);

  void value(std::string_view text);  // invalid UTF-8 is replaced by U+FFFD
  void value(const char* text) { value(std::string_view(text)); }
  void value(std::int64_t number);
  void value(int number) { value(static_cast<std::int64_t>(number)); }
  void value(bool truth);
  void value(double number);        // the shortest digits that read back; "NaN", "Infinity", "-Infinity"
  void raw(std::string_view json);  // a value that is JSON already

  template <class Value>
  void member(std::string_view name, const Value& of) {
    key(name);
    value(of);
  }
  void member_if_set(std::string_view name, std::string_view text) {  // not for an empty text
    if (!text.empty()) member(name, text);
  }

  std::string take() { return std::move(text_); }

 private:
  void before_value();

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace lockstep::history::server
