// The tables of the store in PostgreSQL: the same, column by column, as those of a file of SQLite's at the same
// version.
#pragma once

#include <cstdint>

#include "history/store/postgres_database.hpp"

namespace lockstep::history {

// Makes the schema, or brings it to the newest version, in one transaction, whoever else opens it at the same time.
// Refuses a newer version.
void create_or_migrate(PostgresDatabase& database);

}  // namespace lockstep::history
