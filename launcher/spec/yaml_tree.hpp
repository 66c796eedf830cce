// YAML text as a small tree whose every node knows its place. Built from yaml-cpp's events, so that the limits below
// end a hostile file while it is being parsed and not after.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::spec {

// Where something stands: lines and columns count from 1, columns count bytes. `set` > 0: in the set-th --set.
struct Mark {
  int line = 0;
  int column = 0;
  int offset = -1;  // from the beginning of the text, in bytes
  int set = 0;
};

struct YamlEntry;

struct YamlNode {
  enum class Kind { null, scalar, list, mapping };

  Kind kind = Kind::null;
  Mark mark;
  bool plain = false;           // a scalar without quotes: the only kind that YAML may take for a number or a boolean
  std::string text;             // of a scalar
  std::vector<YamlNode> items;  // of a list
  std::vector<YamlEntry> entries;  // of a mapping, in the order of the file; keys are scalars
  int node_count = 1;              // with everything below
  std::size_t byte_count = 0;      // of all texts in it
  int height = 1;

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_mapping() const { return kind == Kind::mapping; }
  const YamlNode* find(std::string_view key) const;  // the value; nullptr when there is none, or this is no mapping
  YamlNode* find(std::string_view key);

  static YamlNode scalar(std::string text, bool plain = false);
  static YamlNode mapping();
};

struct YamlEntry {
  YamlNode key;
  YamlNode value;
};

struct YamlLimits {
  std::size_t bytes = std::size_t{1} << 20;  // of the text, and of all scalars after aliases are expanded
  int depth = 64;                            // also keeps everything that walks the tree by recursion safe
  int nodes = 100'000;                       // counted after aliases are expanded, so that nested aliases end early
};

// The first thing that makes a text no YAML for us. After it nothing else can be said of the text.
class YamlError : public std::runtime_error {
 public:
  YamlError(Mark mark, const std::string& message) : std::runtime_error(message), mark_(mark) {}
  const Mark& mark() const { return mark_; }

 private:
  Mark mark_;
};

// One document. Refuses what is not UTF-8, has control characters, is empty, has several documents, a tag that is not
// of YAML's core, a key twice, or an alias inside its own anchor, all with YamlError.
YamlNode parse_yaml(std::string_view text, const YamlLimits& limits = {});

// The tree as YAML text that parse_yaml reads back to the same tree (places apart). A scalar that was plain stays so
// where it can; any other gets quotes if YAML could take it for a number, a boolean or null.
std::string emit_yaml(const YamlNode& root);

}  // namespace lockstep::spec
