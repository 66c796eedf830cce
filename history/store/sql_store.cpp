#include "history/store/sql_store.hpp"

namespace lockstep::history {

SqlStore::SqlStore(std::unique_ptr<Database> database)
    : own_database_(std::move(database)), database_(*own_database_) {}

void SqlStore::in_one_commit(Survives survives, const std::function<void()>& work) {
  Transaction all(database_, survives);
  work();
  all.commit();
}

}  // namespace lockstep::history
