#include "history/store/migrations.hpp"

namespace lockstep::history {

// `model` is logged_models.number everywhere, as `run` is in version 1. Every value of a metric is kept, since MLflow
// shows and searches them all; `value` is NULL for NaN.
const char* const migration_4_logged_models = R"sql(
CREATE TABLE logged_models (
  number         INTEGER PRIMARY KEY AUTOINCREMENT,
  model_id       TEXT NOT NULL UNIQUE,
  experiment_id  INTEGER NOT NULL REFERENCES experiments,
  name           TEXT NOT NULL,
  artifact_uri   TEXT NOT NULL,
  model_type     TEXT NOT NULL,
  source_run_id  TEXT NOT NULL,
  status         INTEGER NOT NULL,  -- MLflow's numbers: 1 pending, 2 ready, 3 failed
  status_message TEXT NOT NULL DEFAULT '',
  deleted        INTEGER NOT NULL DEFAULT 0,
  created_ms     INTEGER NOT NULL,
  updated_ms     INTEGER NOT NULL
);
CREATE INDEX logged_models_by_experiment ON logged_models (experiment_id, deleted, created_ms DESC, model_id);
CREATE INDEX logged_models_by_run ON logged_models (source_run_id) WHERE source_run_id <> '';

CREATE TABLE logged_model_params (
  model INTEGER NOT NULL REFERENCES logged_models,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) WITHOUT ROWID;

CREATE TABLE logged_model_tags (
  model INTEGER NOT NULL REFERENCES logged_models,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) WITHOUT ROWID;

CREATE TABLE logged_model_metrics (
  model          INTEGER NOT NULL REFERENCES logged_models,
  key            TEXT NOT NULL,
  timestamp_ms   INTEGER NOT NULL,
  step           INTEGER NOT NULL,
  value          REAL,
  run_id         TEXT NOT NULL,
  dataset_name   TEXT NOT NULL,  -- '': on none
  dataset_digest TEXT NOT NULL
);
CREATE INDEX logged_model_metrics_by_model ON logged_model_metrics (model, key, timestamp_ms, step);
)sql";

}  // namespace lockstep::history
