#include "history/store/sqlite_store.hpp"

#include "history/store/schema.hpp"

namespace lockstep::history {

SqliteStore::SqliteStore(const fs::path& file) : database_(file) { migrate(database_, migrations()); }

void SqliteStore::in_one_commit(Survives survives, const std::function<void()>& work) {
  Transaction all(database_, survives);
  work();
  all.commit();
}

std::unique_ptr<Store> open_sqlite_store(const fs::path& file) {
  create_if_missing(file, migrations());
  return std::make_unique<SqliteStore>(file);
}

}  // namespace lockstep::history
