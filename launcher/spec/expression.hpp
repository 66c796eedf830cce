// ${{inputs.x}}, ${{outputs.x}}, ${{name}} (blanks inside allowed) and optional segments $[[ ... ]].
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::spec {

// One ${{...}} of a text: its path ({"inputs","x"}) and where it stands in the text.
struct Reference {
  std::vector<std::string> path;
  std::size_t begin = 0;
  std::size_t end = 0;       // one past the closing braces
  bool in_optional = false;  // inside $[[ ]]
};

// Finds all; `problem` is called with an offset and a message for what is malformed (unclosed, empty, nested).
std::vector<Reference> references_in(std::string_view text,
                                     const std::function<void(std::size_t, const std::string&)>& problem);

// Replaces each reference by what `lookup` gives. nullopt means unset: the optional segment around it is dropped;
// outside of a segment that is bad_input.
std::string resolve(std::string_view text,
                    const std::function<std::optional<std::string>(const std::vector<std::string>& path)>& lookup);

}  // namespace lockstep::spec
