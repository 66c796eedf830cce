#include "launcher/compute/definitions.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/nearest.hpp"

namespace lockstep::compute {

namespace {

std::vector<std::string> names_in(const Workspace& workspace) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(workspace.computes(), none)) {
    const std::string name = entry.path().stem().string();
    // Not what a writer has not renamed yet.
    if (entry.path() == workspace.compute_file(name)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

spec::Compute read(const Workspace& workspace, const std::string& name) {
  const fs::path file = workspace.compute_file(name);
  spec::Compute compute = spec::read_compute_file(file).compute;
  if (compute.name != name) throw failure("{}: its name is '{}'", file.string(), compute.name);
  return compute;
}

void expect(const Workspace& workspace, const std::string& name) {
  const auto names = names_in(workspace);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  throw not_found("there is no compute '{}'{}", name, did_you_mean(name, names));
}

}  // namespace

void save(const Workspace& workspace, const spec::ReadCompute& definition) {
  workspace.create();
  fs::create_directories(workspace.computes());
  write_file_durably(workspace.compute_file(definition.compute.name), definition.yaml);
}

std::vector<spec::Compute> list(const Workspace& workspace) {
  std::vector<spec::Compute> computes;
  for (const std::string& name : names_in(workspace)) computes.push_back(read(workspace, name));
  return computes;
}

spec::Compute find(const Workspace& workspace, const std::string& name) {
  expect(workspace, name);
  return read(workspace, name);
}

void remove(const Workspace& workspace, const std::string& name) {
  expect(workspace, name);
  fs::remove(workspace.compute_file(name));
}

}  // namespace lockstep::compute
