#include "history/store/migrations.hpp"

namespace lockstep::history {

// Version 2. series.in_order: its rows in `metrics` were appended in the order of step, then time, so that their
// rowids are in that order. It is not known, and so 0, of a series that is older than the column. series.points: how
// many rows it has; kept for those in order only.
const char* const migration_2_tracking = R"sql(
ALTER TABLE runs ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;
ALTER TABLE series ADD COLUMN in_order INTEGER NOT NULL DEFAULT 0;
ALTER TABLE series ADD COLUMN points INTEGER NOT NULL DEFAULT 0;

INSERT OR IGNORE INTO tags (run, key, value)
  SELECT number, 'mlflow.runName', display_name FROM runs WHERE display_name <> '';
INSERT OR IGNORE INTO tags (run, key, value)
  SELECT number, 'mlflow.user', user_id FROM runs WHERE user_id <> '';
INSERT OR IGNORE INTO tags (run, key, value)
  SELECT number, 'mlflow.parentRunId', parent_run_id FROM runs WHERE parent_run_id <> '';

CREATE TABLE datasets (
  dataset       INTEGER PRIMARY KEY,
  experiment_id INTEGER NOT NULL REFERENCES experiments,
  name          TEXT NOT NULL,
  digest        TEXT NOT NULL,
  source_type   TEXT NOT NULL,
  source        TEXT NOT NULL,
  schema        TEXT NOT NULL DEFAULT '',  -- empty: none
  profile       TEXT NOT NULL DEFAULT '',  -- empty: none
  UNIQUE (experiment_id, name, digest)
);

CREATE TABLE dataset_inputs (
  run     INTEGER NOT NULL REFERENCES runs,
  dataset INTEGER NOT NULL REFERENCES datasets,
  PRIMARY KEY (run, dataset)
) WITHOUT ROWID;
CREATE INDEX dataset_inputs_by_dataset ON dataset_inputs (dataset);

CREATE TABLE dataset_input_tags (
  run     INTEGER NOT NULL REFERENCES runs,
  dataset INTEGER NOT NULL REFERENCES datasets,
  key     TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (run, dataset, key)
) WITHOUT ROWID;

-- Logged models that a run read (is_output 0, step 0) or wrote.
CREATE TABLE model_uses (
  run       INTEGER NOT NULL REFERENCES runs,
  model_id  TEXT NOT NULL,
  step      INTEGER NOT NULL,
  is_output INTEGER NOT NULL,
  PRIMARY KEY (run, is_output, model_id, step)
) WITHOUT ROWID;

-- For searches.
--
-- MLflow's start_time, and runs in the order in which they are shown.
ALTER TABLE runs ADD COLUMN start_ms INTEGER GENERATED ALWAYS AS (iif(started_ms = 0, created_ms, started_ms)) VIRTUAL;
CREATE INDEX runs_by_experiment_and_start ON runs (experiment_id, start_ms DESC, run_id, archived);
CREATE INDEX runs_by_start                ON runs (start_ms DESC, run_id, experiment_id, archived);

-- Which runs have this value: a handful of pages instead of a look at each run. Both are written once or seldom.
CREATE INDEX params_by_value ON params (key, value, run);
CREATE INDEX tags_by_value   ON tags (key, value, run);

-- The latest values of one metric, run after run. By value it would be quicker still to read, but every batch would
-- then write to pages all over the index. Runs that are on at the same time are neighbours here, so that one commit
-- writes few pages.
CREATE INDEX series_by_key ON series (key, run, value);
)sql";

}  // namespace lockstep::history
