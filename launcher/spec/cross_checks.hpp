// What no single key can tell: keys that exclude or need each other, and expressions that name what is not there.
#pragma once

#include <functional>
#include <string_view>

#include "launcher/spec/job.hpp"
#include "launcher/spec/mistakes.hpp"
#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

void check_combinations(const YamlNode& root, const CommandJob& job, Mistakes& mistakes);

// `source_of` gives the text that a mark's offset counts in: the file, or the argument of a --set.
void check_expressions(const YamlNode& root, const CommandJob& job,
                       const std::function<std::string_view(const Mark&)>& source_of, Mistakes& mistakes);

}  // namespace lockstep::spec
