// The tables that Slurm's commands print: a row a line, fields between bars.
#pragma once

#include <string_view>
#include <vector>

namespace lockstep::slurm {

// Cut at each `at`, into `most` parts at most: the last may have more of them in it.
inline std::vector<std::string_view> split(std::string_view text, char at, std::size_t most = std::string_view::npos) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < most) {
    const auto end = text.find(at);
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

}  // namespace lockstep::slurm
