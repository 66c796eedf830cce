// The one table of the job file's keys. The parser, its "did you mean" lists, the page docs/job-files.md and the test
// that every key has a bad example all come from it.
#pragma once

#include <climits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/spec/job.hpp"
#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

// What a key takes; a key may take several.
enum Accepts : unsigned {
  text = 1,     // any scalar, as its text: numbers and booleans need no quotes
  integer = 2,  // quoted or not, as Azure ML takes them
  boolean = 4,  // true or false
  choice = 8,   // one of `words`, upper or lower case, as Azure ML takes them
  null = 16,
  mapping = 32,  // with the keys that the table lists below it, or any names if that is "*"
  text_list = 64,
  anything = 128,
};

// A word of a choice, and the one that it stands for.
struct Word {
  std::string_view word;
  std::string_view meaning;
};

struct KeyRow {
  std::string_view path;  // "resources.instance_count"; "*" stands for any name
  unsigned accepts = text;
  std::string_view fallback;  // what holds without it, for the page
  std::string_view help;
  // Puts a checked value into the job. `name` is what the "*" of the path was. Called for parents before children.
  void (*store)(CommandJob& job, const std::string& name, const YamlNode& value) = nullptr;

  bool required = false;  // in its mapping
  std::vector<Word> words = {};
  long minimum = LONG_MIN, maximum = LONG_MAX;  // of an integer
  bool may_be_empty = false;                    // text
  // What the text (for a "*" row: the name) must look like: nullptr, or "" when it is well, else what is expected.
  std::string_view (*check)(std::string_view) = nullptr;

  std::string_view key() const { return path.substr(path.rfind('.') + 1); }
  std::string_view parent() const { return path.find('.') == path.npos ? "" : path.substr(0, path.rfind('.')); }
};

std::span<const KeyRow> job_keys();

// The rows below a parent path ("" for the top of the file), as pointers into job_keys().
const std::vector<const KeyRow*>& keys_below(std::string_view parent);

// The word that a text means, upper or lower case; "" when there is none.
std::string_view meaning_of(const KeyRow& row, std::string_view written);

}  // namespace lockstep::spec
