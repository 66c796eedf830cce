// "did you mean ...": the known word nearest to a mistyped one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lockstep {

// Number of single-character insertions, deletions, substitutions and swaps of neighbours between a and b
// (optimal string alignment distance).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The known word nearest to `word`, if it is near enough to be a slip (at most a third of its letters, case ignored).
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

// "; did you mean 'x'?" or "".
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace lockstep
