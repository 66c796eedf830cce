#include "history/store/migrations.hpp"

namespace lockstep::history {

// Version 5.
const char* const migration_5_tokens = R"sql(
CREATE TABLE tokens (
  token_id   TEXT PRIMARY KEY,
  sha256     TEXT NOT NULL UNIQUE,
  scope      TEXT NOT NULL,
  run_id     TEXT NOT NULL DEFAULT '',
  note       TEXT NOT NULL DEFAULT '',
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL DEFAULT 0  -- 0: never
) WITHOUT ROWID;
)sql";

}  // namespace lockstep::history
