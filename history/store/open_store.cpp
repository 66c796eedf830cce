#include "history/store/open_store.hpp"

#include "common/error.hpp"
#include "history/store/checkpointer.hpp"
#include "history/store/postgres_database.hpp"
#include "history/store/postgres_schema.hpp"
#include "history/store/postgres_url.hpp"
#include "history/store/schema.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

static std::unique_ptr<Store> open_sqlite_store(const fs::path& file, OpenedFor who) {
  create_if_missing(file, migrations());
  auto database = std::make_unique<SqliteDatabase>(file);
  migrate(*database, migrations());
  if (who == OpenedFor::server) {
    database->leave_checkpoints_to(
        [checkpointer = std::make_shared<Checkpointer>(file)](int pages) { checkpointer->log_has(pages); });
  }
  return std::make_unique<SqlStore>(std::move(database));
}

static std::unique_ptr<Store> open_postgres_store(const std::string& url) {
  auto database = std::make_unique<PostgresDatabase>(url);
  create_or_migrate(*database);
  return std::make_unique<SqlStore>(std::move(database));
}

// As MLflow names one: sqlite:///relative/path, sqlite:////absolute/path.
static fs::path file_of(const std::string& store) {
  constexpr std::string_view scheme = "sqlite:///";
  if (store.starts_with(scheme)) return store.substr(scheme.size());
  if (store.find("://") != std::string::npos) {
    throw bad_input("a history is kept in a file of SQLite's or in PostgreSQL (postgresql://...), not in {}",
                    store.substr(0, store.find("://")));
  }
  return store;
}

bool is_postgres(std::string_view store) { return PostgresUrl::is_one(store); }

bool is_there(const std::string& store) { return is_postgres(store) || fs::exists(file_of(store)); }

std::string without_password(const std::string& store) {
  return is_postgres(store) ? PostgresUrl(store).shown() : store;
}

std::unique_ptr<Store> open_store(const std::string& store, OpenedFor who) {
  return is_postgres(store) ? open_postgres_store(store) : open_sqlite_store(file_of(store), who);
}

std::unique_ptr<Database> open_database(const std::string& store) {
  if (is_postgres(store)) return std::make_unique<PostgresDatabase>(store);
  return std::make_unique<SqliteDatabase>(file_of(store));
}

std::unique_ptr<Store> open_sqlite_store(const fs::path& file) { return open_sqlite_store(file, OpenedFor::command); }

}  // namespace lockstep::history
