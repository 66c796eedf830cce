#include "launcher/spec/set_values.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "launcher/spec/quoted.hpp"
#include "launcher/spec/yaml_bytes.hpp"

namespace lockstep::spec {

namespace {

Mark place_in_set(int set, std::size_t offset) {
  return {set, static_cast<int>(offset) + 1, static_cast<int>(offset), set};
}

void mark_as_set(YamlNode& node, int set) {
  node.mark = place_in_set(set, static_cast<std::size_t>(std::max(0, node.mark.offset)));
  for (auto& item : node.items) mark_as_set(item, set);
  for (auto& [key, value] : node.entries) {
    mark_as_set(key, set);
    mark_as_set(value, set);
  }
}

// The value of an argument, with places that count in the whole argument.
YamlNode parse_value(std::string_view argument, std::size_t value_offset) {
  const std::string_view text = argument.substr(value_offset);
  // Blanks in place of the key put everything where it stands.
  if (!text.empty() && std::string_view("[{\"'").find(text[0]) != std::string_view::npos)
    return parse_yaml(std::string(value_offset, ' ') + std::string(text));
  const bool is_null = text == "null" || text == "~";
  YamlNode node = is_null ? YamlNode() : YamlNode::scalar(std::string(text), !text.empty());
  node.mark.offset = static_cast<int>(value_offset);
  return node;
}

constexpr int deepest_path = 16;  // the tree stays safe to walk by recursion

class Setter {
 public:
  Setter(std::string_view argument, int set, Mistakes& mistakes)
      : argument_(argument), set_(set), mistakes_(mistakes) {}

  void apply(YamlNode& root) {
    const std::size_t equals = argument_.find('=');
    YamlNode value;
    try {
      check_yaml_bytes(argument_);
      if (equals == std::string_view::npos)
        return complain(0, fmt::format("{} has no '='; expected key=value or key.key=value", in_quotes(argument_)));
      value = parse_value(argument_, equals + 1);
    } catch (const YamlError& e) {
      return complain(static_cast<std::size_t>(std::max(0, e.mark().offset)), e.what());
    }
    mark_as_set(value, set_);
    if (YamlNode* target = walk_to(root, argument_.substr(0, equals))) *target = std::move(value);
  }

 private:
  void complain(std::size_t offset, std::string message) {
    mistakes_.add(place_in_set(set_, offset), std::move(message));
  }

  // The node at `path`, made if need be; nullptr after a complaint.
  YamlNode* walk_to(YamlNode& root, std::string_view path) {
    if (!root.is_mapping()) return nullptr;  // a mistake of the file, which is reported for itself
    if (std::count(path.begin(), path.end(), '.') >= deepest_path) {
      complain(0, fmt::format("more than {} keys joined by dots", deepest_path));
      return nullptr;
    }
    YamlNode* node = &root;
    for (std::size_t begin = 0; begin <= path.size();) {
      const std::size_t end = std::min(path.find('.', begin), path.size());
      const std::string_view key = path.substr(begin, end - begin);
      if (key.empty()) {
        complain(begin, fmt::format("{} has an empty key", in_quotes(path)));
        return nullptr;
      }
      if (node->is_null()) node->kind = YamlNode::Kind::mapping;
      if (!node->is_mapping()) {
        complain(0, fmt::format("{} is {}, so {} can't be set in it", in_quotes(path.substr(0, begin - 1)),
                                node->is_list() ? "a list" : "a single value", in_quotes(key)));
        return nullptr;
      }
      YamlNode* child = node->find(key);
      node = child ? child : &append(*node, key, begin);
      begin = end + 1;
    }
    return node;
  }

  YamlNode& append(YamlNode& parent, std::string_view key, std::size_t offset) {
    YamlNode name = YamlNode::scalar(std::string(key));
    name.mark = place_in_set(set_, offset);
    YamlNode value;
    value.mark = name.mark;
    parent.entries.push_back({std::move(name), std::move(value)});
    return parent.entries.back().value;
  }

  std::string_view argument_;
  int set_;
  Mistakes& mistakes_;
};

}  // namespace

void apply_sets(YamlNode& root, std::span<const std::string> sets, Mistakes& mistakes) {
  for (std::size_t i = 0; i < sets.size(); ++i) Setter(sets[i], static_cast<int>(i) + 1, mistakes).apply(root);
}

}  // namespace lockstep::spec
