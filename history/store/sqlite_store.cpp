#include "history/store/sqlite_store.hpp"

#include "history/store/schema.hpp"

namespace lockstep::history {

SqliteStore::SqliteStore(const fs::path& file) : database_(file) { migrate(database_, migrations()); }

void SqliteStore::in_one_commit(Survives survives, const std::function<void()>& work) {
  Transaction all(database_, survives);
  work();
  all.commit();
}

void SqliteStore::leave_checkpoints_to(std::unique_ptr<Checkpointer> checkpointer) {
  checkpointer_ = std::move(checkpointer);
  database_.leave_checkpoints_to([to = checkpointer_.get()](int pages) { to->log_has(pages); });
}

std::unique_ptr<Store> open_sqlite_store_for_server(const fs::path& file) {
  create_if_missing(file, migrations());
  auto store = std::make_unique<SqliteStore>(file);
  store->leave_checkpoints_to(std::make_unique<Checkpointer>(file));
  return store;
}

std::unique_ptr<Store> open_sqlite_store(const fs::path& file) {
  create_if_missing(file, migrations());
  return std::make_unique<SqliteStore>(file);
}

}  // namespace lockstep::history
