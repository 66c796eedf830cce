#include "history/store/postgres_schema.hpp"

#include "common/error.hpp"
#include "history/store/postgres_tables.hpp"
#include "history/store/schema.hpp"

namespace lockstep::history {

// 0: nothing is here yet.
static std::int64_t version_of(PostgresDatabase& database) {
  const bool is_there =
      database.number(
          "SELECT count(*) FROM pg_tables WHERE schemaname = 'lockstep' AND tablename = 'schema_version'") == 1;
  return is_there ? database.number("SELECT version FROM schema_version") : 0;
}

static std::int64_t checked_version(PostgresDatabase& database) {
  const auto newest = static_cast<std::int64_t>(migrations().size());
  const std::int64_t version = version_of(database);
  if (version > newest) {
    throw failure(
        "{} has schema version {}, written by a newer lockstep; this one knows versions up to {}. Use the newer one.",
        database.shown(), version, newest);
  }
  return version;
}

void create_or_migrate(PostgresDatabase& database) {
  const auto newest = static_cast<std::int64_t>(migrations().size());
  if (checked_version(database) == newest) return;
  Transaction transaction(database, Survives::power_loss);
  std::int64_t version = checked_version(database);  // others may have been quicker
  if (version == 0) {
    const bool has_schema = database.number("SELECT count(*) FROM pg_namespace WHERE nspname = 'lockstep'") == 1;
    if (!has_schema) database.execute("CREATE SCHEMA lockstep");  // which is an administrator's right
    database.execute(postgres_tables);
    version = postgres_first_version;
  }
  for (; version < newest; ++version) {
    database.execute(postgres_migrations[static_cast<std::size_t>(version - postgres_first_version)]);
  }
  database.execute(fmt::format("UPDATE schema_version SET version = {}", newest));
  transaction.commit();
}

}  // namespace lockstep::history
