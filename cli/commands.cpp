#include "cli/commands.hpp"

#include "common/error.hpp"
#include "launcher/supervise/supervisor.hpp"

namespace lockstep::cli {

void add_name(const Command& command, std::string& name, const std::string& what) {
  command.option("-n,--name,name", name, "NAME", what).required();
}

OpenWorkspace open_workspace() {
  Workspace workspace = Workspace::find();
  if (!fs::exists(workspace.store_file())) {
    throw not_found(
        "no runs here yet: there is no workspace {} (lockstep run FILE makes one; LOCKSTEP_WORKSPACE names another)",
        workspace.root().string());
  }
  auto store = history::open_sqlite_store(workspace.store_file());
  supervise::close_abandoned_runs(workspace, *store);
  return {std::move(workspace), std::move(store)};
}

}  // namespace lockstep::cli
