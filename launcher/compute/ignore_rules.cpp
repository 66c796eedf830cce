#include "launcher/compute/ignore_rules.hpp"

#include <fnmatch.h>

namespace lockstep::compute {

// Blanks at the end do not count unless a backslash stands before them.
static std::string_view without_trailing_blanks(std::string_view line) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      end = ++i + 1;
    } else if (line[i] != ' ') {
      end = i + 1;
    }
  }
  return line.substr(0, end);
}

static std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t slash = text.find('/');
    parts.emplace_back(text.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    text.remove_prefix(slash + 1);
  }
}

void IgnoreRules::add(std::string_view text, const std::string& folder) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && line[0] != '#') add_line(without_trailing_blanks(line), folder);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

void IgnoreRules::add_line(std::string_view line, const std::string& folder) {
  Pattern pattern;
  pattern.folder = folder;
  if (line.starts_with('!')) {
    pattern.negated = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    pattern.folders_only = true;
    line.remove_suffix(1);
  }
  if (line.empty()) return;
  pattern.by_name = line.find('/') == std::string_view::npos;
  if (line.starts_with('/')) line.remove_prefix(1);
  pattern.segments = split(line);
  patterns_.push_back(std::move(pattern));
}

void IgnoreRules::keep_first(std::size_t count) { patterns_.resize(count); }

static bool name_matches(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

// can[i][j]: the segments from i on match the parts from j on. A table, so that many ** cost no more than their
// product.
static bool path_matches(const std::vector<std::string>& segments, const std::vector<std::string>& parts) {
  const std::size_t width = parts.size() + 1;
  std::vector<char> can((segments.size() + 1) * width, 0);
  can[segments.size() * width + parts.size()] = 1;
  for (std::size_t i = segments.size(); i-- > 0;) {
    const bool any_depth = segments[i] == "**";
    const bool last = i + 1 == segments.size();
    for (std::size_t j = parts.size() + 1; j-- > 0;) {
      char& here = can[i * width + j];
      const bool more = j < parts.size();
      if (any_depth && last) {
        here = more ? 1 : 0;  // "a/**" is everything in a, not a itself
      } else if (any_depth) {
        here = can[(i + 1) * width + j] != 0 || (more && can[i * width + j + 1] != 0) ? 1 : 0;
      } else {
        here = more && can[(i + 1) * width + j + 1] != 0 && name_matches(segments[i], parts[j]) ? 1 : 0;
      }
    }
  }
  return can[0] != 0;
}

bool IgnoreRules::matches(const Pattern& pattern, std::string_view path) {
  if (!pattern.folder.empty()) {
    const bool below =
        path.size() > pattern.folder.size() && path.starts_with(pattern.folder) && path[pattern.folder.size()] == '/';
    if (!below) return false;
    path.remove_prefix(pattern.folder.size() + 1);
  }
  if (!pattern.by_name) return path_matches(pattern.segments, split(path));
  const std::size_t slash = path.rfind('/');
  const std::string name(slash == std::string_view::npos ? path : path.substr(slash + 1));
  return name_matches(pattern.segments[0], name);
}

bool IgnoreRules::exclude(std::string_view path, bool is_folder) const {
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern) {
    if (pattern->folders_only && !is_folder) continue;
    if (matches(*pattern, path)) return !pattern->negated;
  }
  return false;
}

}  // namespace lockstep::compute
