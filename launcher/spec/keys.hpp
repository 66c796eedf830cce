// A mapping that is read strictly, key by key: each key is asked for once, with what its value must be, and what nobody
// asked for is refused in the end. Every mistake is added with its place; what it was about keeps its value.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/spec/mistakes.hpp"
#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

struct Range {
  long least = 1;
  long most = 1'000'000;
};

using TextCheck = std::string_view (*)(std::string_view);  // as in key_checks.hpp

class Keys {
 public:
  // `node` is a mapping and lives as long as this; `shown` is what messages call it, "" at the top of a file.
  Keys(const YamlNode& node, std::string shown, Mistakes& mistakes)
      : node_(node), shown_(std::move(shown)), mistakes_(mistakes) {}

  // False: the key is not there. `how` is nothing, or for a text a TextCheck, for a whole number its Range.
  template <class Value, class... How>
  bool optional(const std::string& key, Value& value, const How&... how) {
    const YamlNode* const node = find(key);
    if (node != nullptr) read(*node, path_of(key), value, how...);
    return node != nullptr;
  }

  template <class Value, class... How>
  bool required(const std::string& key, Value& value, const How&... how) {
    return optional(key, value, how...) || miss(key);
  }

  // A mapping in this one, or a list of them. `read` asks for its keys; others are refused.
  bool mapping(const std::string& key, const std::function<void(Keys&)>& read);
  bool mappings(const std::string& key, const std::function<void(Keys&)>& read);

  // The key is known then. nullptr: it is not there.
  const YamlNode* find(const std::string& key);

  std::string path_of(const std::string& key) const { return shown_.empty() ? key : shown_ + "." + key; }
  bool miss(const std::string& key);                                // a mistake; false
  void refuse(const std::string& key, const std::string& message);  // a mistake, where the key stands
  void expect(const YamlNode& value, const std::string& path,
              std::string_view wanted);  // "<path> must be <wanted>, ..."
  void refuse_others();

  Mistakes& mistakes() { return mistakes_; }

  // `value` as a mapping that is called `path`.
  static void read_mapping(const YamlNode& value, const std::string& path, Mistakes& mistakes,
                           const std::function<void(Keys&)>& read);

 private:
  template <class Value, class... How>
  void read(const YamlNode& node, const std::string& path, std::optional<Value>& value, const How&... how) {
    value = Value{};
    read(node, path, *value, how...);
  }
  void read(const YamlNode& node, const std::string& path, std::string& value);  // one line
  void read(const YamlNode& node, const std::string& path, std::string& value, TextCheck check);
  void read(const YamlNode& node, const std::string& path, int& value, Range range = {});
  void read(const YamlNode& node, const std::string& path, double& value);  // above 0
  void read(const YamlNode& node, const std::string& path, bool& value);

  const YamlNode& node_;
  std::string shown_;
  Mistakes& mistakes_;
  std::vector<std::string> known_;
};

}  // namespace lockstep::spec
