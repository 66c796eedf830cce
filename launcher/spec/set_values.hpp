// --set a.b.c=v, put into the tree before anything is checked.
#pragma once

#include <span>
#include <string>

#include "launcher/spec/mistakes.hpp"
#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

// Each "a.b.c=v" replaces or adds the value at a.b.c; mappings on the way are made if they are missing or null. A value
// that begins with [ { " or ' is YAML, null and ~ are null, anything else is the text as it stands (blanks, # and :
// too).
void apply_sets(YamlNode& root, std::span<const std::string> sets, Mistakes& mistakes);

}  // namespace lockstep::spec
