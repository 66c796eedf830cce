#include "history/store/migrations.hpp"

namespace lockstep::history {

// Version 6. What a curve needs of each 64 values of a long series in order, one after the other (curve_blocks.hpp):
// rows of `metrics` never change, so these don't either. They are laid when a curve is looked at, and may be missing.
const char* const migration_6_curves = R"sql(
CREATE TABLE curve_blocks (
  series         INTEGER NOT NULL,
  block          INTEGER NOT NULL,  -- 0: the first 64 values
  first_row      INTEGER NOT NULL,  -- rowids of metrics
  last_row       INTEGER NOT NULL,
  earliest_ms    INTEGER NOT NULL,
  latest_ms      INTEGER NOT NULL,
  first_value    REAL,
  first_ms       INTEGER NOT NULL,
  first_step     INTEGER NOT NULL,
  last_value     REAL,
  last_ms        INTEGER NOT NULL,
  last_step      INTEGER NOT NULL,
  least_place    INTEGER NOT NULL,  -- 0 to 63; -1: there are only NaN
  least_value    REAL,
  least_ms       INTEGER NOT NULL,
  least_step     INTEGER NOT NULL,
  greatest_place INTEGER NOT NULL,
  greatest_value REAL,
  greatest_ms    INTEGER NOT NULL,
  greatest_step  INTEGER NOT NULL,
  PRIMARY KEY (series, block)
) WITHOUT ROWID;
)sql";

}  // namespace lockstep::history
