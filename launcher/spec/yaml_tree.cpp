#include "launcher/spec/yaml_tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "launcher/spec/quoted.hpp"
#include "launcher/spec/yaml_bytes.hpp"

namespace lockstep::spec {

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.key.text == key; });
  return found == entries.end() ? nullptr : &found->value;
}

YamlNode* YamlNode::find(std::string_view key) {
  return const_cast<YamlNode*>(static_cast<const YamlNode*>(this)->find(key));
}

YamlNode YamlNode::scalar(std::string text, bool plain) {
  YamlNode node;
  node.kind = Kind::scalar;
  node.byte_count = text.size();
  node.text = std::move(text);
  node.plain = plain;
  return node;
}

YamlNode YamlNode::mapping() {
  YamlNode node;
  node.kind = Kind::mapping;
  return node;
}

namespace {

Mark mark_of(const YAML::Mark& mark) {
  return mark.is_null() ? Mark{1, 1, 0, 0} : Mark{mark.line + 1, mark.column + 1, mark.pos, 0};
}

// Takes yaml-cpp's events and throws YamlError as soon as a limit or a rule is broken.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const YamlLimits& limits) : limits_(limits) {}

  std::optional<YamlNode> root;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root) throw YamlError(mark_of(mark), "a second document, or text after the end of the first; a file holds one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    node.mark = mark_of(mark);
    // For a key with nothing behind it yaml-cpp gives the place of whatever follows, perhaps lines below.
    if (const Mark* key = pending_key(); key && key->line != node.mark.line) node.mark = *key;
    add_new(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    if (tag == "tag:yaml.org,2002:null") return OnNull(mark, anchor);
    if (value.find('\0') != std::string::npos) throw YamlError(mark_of(mark), "control character 0x00");
    YamlNode node = YamlNode::scalar(value, tag == "?");
    node.mark = mark_of(mark);
    add_new(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::list);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::mapping);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw YamlError(mark_of(mark), "this alias stands inside the node that it names");
    count(mark_of(mark), found->second);
    add(found->second);
  }

 private:
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::optional<YamlNode> key;                   // of a mapping: read, its value is still to come
    std::unordered_map<std::string, Mark> places;  // of the keys so far
  };

  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    static constexpr std::array allowed = {"str", "int", "float", "bool", "null", "map", "seq"};
    static const std::string core = "tag:yaml.org,2002:";
    if (tag.empty() || tag == "?" || tag == "!") return;
    const std::string kind = tag.starts_with(core) ? tag.substr(core.size()) : "";
    if (std::find(allowed.begin(), allowed.end(), kind) != allowed.end()) return;
    throw YamlError(mark_of(mark), fmt::format("the tag {} is not allowed; write the value alone", in_quotes(tag)));
  }

  // Before anything is copied or kept: what is there by now and `node` on top of it must stay within the limits.
  void count(const Mark& mark, const YamlNode& node) {
    check_depth(mark, node.height);
    node_count_ += node.node_count;
    byte_count_ += node.byte_count;
    if (node_count_ > limits_.nodes)
      throw YamlError(mark, fmt::format("more than {} values, counting what aliases repeat", limits_.nodes));
    if (byte_count_ > limits_.bytes)
      throw YamlError(mark, fmt::format("more than {} bytes, counting what aliases repeat", limits_.bytes));
  }

  void check_depth(const Mark& mark, int height) const {
    if (static_cast<int>(frames_.size()) + height > limits_.depth)
      throw YamlError(mark, fmt::format("nested more than {} levels deep", limits_.depth));
  }

  const Mark* pending_key() const {
    return !frames_.empty() && frames_.back().key ? &frames_.back().key->mark : nullptr;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    check_tag(mark, tag);
    check_depth(mark_of(mark), 1);
    Frame frame;
    frame.node.kind = kind;
    frame.node.mark = mark_of(mark);
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    ++node_count_;  // its children were counted when they came
    keep(frame.node, frame.anchor);
    add(std::move(frame.node));
  }

  void add_new(YamlNode node, YAML::anchor_t anchor) {
    count(node.mark, node);
    keep(node, anchor);
    add(std::move(node));
  }

  // For aliases. The copy counts like any other: anchors can stand inside anchors.
  void keep(const YamlNode& node, YAML::anchor_t anchor) {
    if (anchor == 0) return;
    count(node.mark, node);
    anchors_.insert_or_assign(anchor, node);
  }

  void add(YamlNode node) {
    if (frames_.empty()) {
      root = std::move(node);
      return;
    }
    Frame& parent = frames_.back();
    parent.node.node_count += node.node_count;
    parent.node.byte_count += node.byte_count;
    parent.node.height = std::max(parent.node.height, node.height + 1);
    if (parent.node.is_list()) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      add_key(parent, std::move(node));
    } else {
      parent.node.entries.push_back({std::move(*parent.key), std::move(node)});
      parent.key.reset();
    }
  }

  static void add_key(Frame& parent, YamlNode key) {
    if (!key.is_scalar()) throw YamlError(key.mark, "a key must be text");
    if (key.plain && key.text == "<<") throw YamlError(key.mark, "merge keys (<<) are not read; write the keys out");
    const auto [first, is_new] = parent.places.emplace(key.text, key.mark);
    if (!is_new)
      throw YamlError(key.mark, fmt::format("the key {} is here twice; first at line {}, column {}",
                                            in_quotes(key.text), first->second.line, first->second.column));
    parent.key = std::move(key);
  }

  YamlLimits limits_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, YamlNode> anchors_;
  int node_count_ = 0;
  std::size_t byte_count_ = 0;
};

// yaml-cpp says "illegal map value" of a line that is indented with a tab.
std::string_view tab_hint(std::string_view text, const YAML::Mark& mark) {
  if (mark.is_null() || mark.pos < mark.column || static_cast<std::size_t>(mark.pos) > text.size()) return "";
  const std::string_view line = text.substr(static_cast<std::size_t>(mark.pos - mark.column));
  const std::string_view indentation = line.substr(0, line.find_first_not_of(" \t"));
  return indentation.find('\t') == std::string_view::npos
             ? ""
             : " (this line is indented with a tab; YAML takes only blanks)";
}

}  // namespace

YamlNode parse_yaml(std::string_view text, const YamlLimits& limits) {
  const Mark top{1, 1, 0, 0};
  if (text.size() > limits.bytes) throw YamlError(top, fmt::format("longer than {} bytes", limits.bytes));
  check_yaml_bytes(text);
  TreeBuilder builder(limits);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    throw YamlError(mark_of(e.mark), fmt::format("{}{}", printable(e.msg), tab_hint(text, e.mark)));
  }
  if (!builder.root || builder.root->is_null()) throw YamlError(top, "the file is empty");
  return std::move(*builder.root);
}

}  // namespace lockstep::spec
