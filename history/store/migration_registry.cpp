#include "history/store/migrations.hpp"

namespace lockstep::history {

// Version 3. `model` is registered_models.model everywhere, so that a new name is a change of one row. No more indexes
// than these: a registry has thousands of rows where the history has millions.
const char* const migration_3_registry = R"sql(
CREATE TABLE registered_models (
  model          INTEGER PRIMARY KEY,
  name           TEXT NOT NULL UNIQUE,
  description    TEXT NOT NULL DEFAULT '',
  newest_version INTEGER NOT NULL DEFAULT 0,  -- the greatest number ever given, of a deleted version, too
  created_ms     INTEGER NOT NULL,
  updated_ms     INTEGER NOT NULL
);

CREATE TABLE registered_model_tags (
  model INTEGER NOT NULL REFERENCES registered_models,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) WITHOUT ROWID;

CREATE TABLE model_versions (
  model            INTEGER NOT NULL REFERENCES registered_models,
  version          INTEGER NOT NULL,
  stage            TEXT NOT NULL DEFAULT 'None',
  description      TEXT NOT NULL DEFAULT '',
  user_id          TEXT NOT NULL DEFAULT '',
  source           TEXT NOT NULL,
  storage_location TEXT NOT NULL,
  run_id           TEXT NOT NULL DEFAULT '',  -- of any tracking server, so not a reference
  model_id         TEXT NOT NULL DEFAULT '',
  run_link         TEXT NOT NULL DEFAULT '',
  created_ms       INTEGER NOT NULL,
  updated_ms       INTEGER NOT NULL,
  PRIMARY KEY (model, version)
) WITHOUT ROWID;
CREATE INDEX model_versions_by_run ON model_versions (run_id);  -- a run's page asks for them

CREATE TABLE model_version_tags (
  model   INTEGER NOT NULL,
  version INTEGER NOT NULL,
  key     TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (model, version, key),
  FOREIGN KEY (model, version) REFERENCES model_versions
) WITHOUT ROWID;

CREATE TABLE model_aliases (
  model   INTEGER NOT NULL,
  alias   TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (model, alias),
  FOREIGN KEY (model, version) REFERENCES model_versions
) WITHOUT ROWID;
)sql";

}  // namespace lockstep::history
