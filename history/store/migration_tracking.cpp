#include "history/store/migrations.hpp"

namespace lockstep::history {

const char* const migration_2_tracking = R"sql(
ALTER TABLE runs ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;

CREATE TABLE datasets (
  dataset       INTEGER PRIMARY KEY,
  experiment_id INTEGER NOT NULL REFERENCES experiments,
  name          TEXT NOT NULL,
  digest        TEXT NOT NULL,
  source_type   TEXT NOT NULL,
  source        TEXT NOT NULL,
  schema        TEXT NOT NULL DEFAULT '',
  profile       TEXT NOT NULL DEFAULT '',
  UNIQUE (experiment_id, name, digest)
);
CREATE TABLE dataset_inputs (
  run     INTEGER NOT NULL REFERENCES runs,
  dataset INTEGER NOT NULL REFERENCES datasets,
  PRIMARY KEY (run, dataset)
) WITHOUT ROWID;
CREATE TABLE dataset_input_tags (
  run     INTEGER NOT NULL,
  dataset INTEGER NOT NULL,
  key     TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (run, dataset, key)
) WITHOUT ROWID;
CREATE TABLE model_uses (
  run       INTEGER NOT NULL REFERENCES runs,
  model_id  TEXT NOT NULL,
  step      INTEGER NOT NULL DEFAULT 0,
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
