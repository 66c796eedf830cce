// The computes of a workspace: .lockstep/compute/<name>.yml.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/run_folder.hpp"
#include "launcher/spec/compute.hpp"

namespace lockstep::compute {

void save(const Workspace& workspace, const spec::ReadCompute& definition);  // durable; makes the workspace
std::vector<spec::Compute> list(const Workspace& workspace);                 // in the order of their names
spec::Compute find(const Workspace& workspace, const std::string& name);     // not_found, with the nearest name
void remove(const Workspace& workspace, const std::string& name);            // not_found

}  // namespace lockstep::compute
