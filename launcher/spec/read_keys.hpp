// Walks a tree along the key table: complains of what the table does not allow, stores what it does.
#pragma once

#include "launcher/spec/job.hpp"
#include "launcher/spec/mistakes.hpp"
#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

void read_keys(const YamlNode& root, CommandJob& job, Mistakes& mistakes);

}  // namespace lockstep::spec
