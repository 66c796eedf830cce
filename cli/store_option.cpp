#include "cli/store_option.hpp"

#include "cli/commands.hpp"
#include "common/error.hpp"
#include "history/store/open_store.hpp"

namespace lockstep::cli {

void add_store_option(const Command& command, std::string& store) {
  command.option("--store", store, "URL|FILE",
                 "The history (the workspace's): a PostgreSQL database by its URL, or a file of SQLite's");
}

std::unique_ptr<history::Store> existing_store(const std::string& store) {
  if (store.empty()) return std::move(open_workspace().store);
  if (!history::is_there(store)) throw not_found("there is no history {}", store);
  return history::open_store(store);
}

std::unique_ptr<history::Store> made_store(const std::string& store) {
  if (!store.empty()) return history::open_store(store);
  const Workspace workspace = Workspace::find();
  workspace.create();
  return history::open_sqlite_store(workspace.store_file());
}

}  // namespace lockstep::cli
