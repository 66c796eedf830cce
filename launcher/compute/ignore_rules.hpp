// The rules of .gitignore and .amlignore files, as gitignore(5) describes them: comments, negation, folders only,
// anchored patterns, **, and deeper files over higher ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lockstep::compute {

class IgnoreRules {
 public:
  // Adds the rules of an ignore file that stands in `folder`, relative to the root with slashes ("" is the root).
  // Rules that are added later win.
  void add(std::string_view text, const std::string& folder);

  // Whether the rules exclude `path` (relative to the root). What lies in an excluded folder is excluded whatever the
  // rules say, so a walk must not enter it.
  bool exclude(std::string_view path, bool is_folder) const;

  std::size_t size() const { return patterns_.size(); }
  void keep_first(std::size_t count);  // on leaving a folder, its rules go

 private:
  struct Pattern {
    std::string folder;                 // matches below it only
    std::vector<std::string> segments;  // between slashes; "**" is any number of folders
    bool by_name = false;               // no slash in it: any file of this name, at any depth
    bool negated = false;
    bool folders_only = false;
  };
  static bool matches(const Pattern& pattern, std::string_view path);
  void add_line(std::string_view line, const std::string& folder);

  std::vector<Pattern> patterns_;
};

}  // namespace lockstep::compute
