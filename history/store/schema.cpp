#include "history/store/schema.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "history/store/migrations.hpp"

namespace lockstep::history {

// "LkSt": the file's own mark, so that somebody else's database is never migrated.
static constexpr std::int64_t application_id = 0x4C6B5374;

// Version 1. `run` is runs.number everywhere: small, and in the order of creation, which is the order of listings.
// A value of NULL is NaN; of zeros SQLite keeps no sign.
const char* const migration_1_runs = R"sql(
PRAGMA application_id = 0x4C6B5374;

CREATE TABLE experiments (
  experiment_id     INTEGER PRIMARY KEY AUTOINCREMENT,
  name              TEXT NOT NULL UNIQUE,
  artifact_location TEXT NOT NULL DEFAULT '',
  archived          INTEGER NOT NULL DEFAULT 0,
  created_ms        INTEGER NOT NULL,
  updated_ms        INTEGER NOT NULL
);
INSERT INTO experiments (experiment_id, name, created_ms, updated_ms)
  SELECT 0, 'Default', now, now FROM (SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now);

CREATE TABLE experiment_tags (
  experiment_id INTEGER NOT NULL REFERENCES experiments,
  key           TEXT NOT NULL,
  value         TEXT NOT NULL,
  PRIMARY KEY (experiment_id, key)
) WITHOUT ROWID;

CREATE TABLE runs (
  number        INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id        TEXT NOT NULL UNIQUE,
  experiment_id INTEGER NOT NULL REFERENCES experiments,
  parent_run_id TEXT NOT NULL DEFAULT '',
  display_name  TEXT NOT NULL DEFAULT '',
  user_id       TEXT NOT NULL DEFAULT '',
  artifact_uri  TEXT NOT NULL DEFAULT '',
  compute       TEXT NOT NULL DEFAULT '',
  state         TEXT NOT NULL,
  finished      INTEGER NOT NULL DEFAULT 0,  -- the state is terminal
  archived      INTEGER NOT NULL DEFAULT 0,
  epoch         INTEGER NOT NULL DEFAULT 0,
  created_ms    INTEGER NOT NULL,
  started_ms    INTEGER NOT NULL DEFAULT 0,
  ended_ms      INTEGER NOT NULL DEFAULT 0,
  reason            TEXT NOT NULL DEFAULT '',
  exit_code         INTEGER,
  signal            INTEGER,
  first_failed_rank INTEGER
);
CREATE INDEX runs_by_lifecycle  ON runs (archived, number);
CREATE INDEX runs_by_experiment ON runs (experiment_id, archived, number);
CREATE INDEX runs_by_parent     ON runs (parent_run_id, archived, number) WHERE parent_run_id <> '';
CREATE INDEX runs_unfinished    ON runs (number) WHERE finished = 0;

CREATE TABLE state_changes (
  change       INTEGER PRIMARY KEY,
  run          INTEGER NOT NULL REFERENCES runs,
  state        TEXT NOT NULL,
  timestamp_ms INTEGER NOT NULL,
  reason       TEXT NOT NULL DEFAULT ''
);
CREATE INDEX state_changes_by_run ON state_changes (run);

CREATE TABLE params (
  run   INTEGER NOT NULL REFERENCES runs,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
) WITHOUT ROWID;

CREATE TABLE tags (
  run   INTEGER NOT NULL REFERENCES runs,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
) WITHOUT ROWID;

-- One metric of one run, with its latest value: the greatest (step, timestamp, value).
CREATE TABLE series (
  series       INTEGER PRIMARY KEY,
  run          INTEGER NOT NULL REFERENCES runs,
  key          TEXT NOT NULL,
  step         INTEGER NOT NULL,
  timestamp_ms INTEGER NOT NULL,
  value        REAL,
  UNIQUE (run, key)
);

-- Every value ever logged. Rows are only appended, and nothing is unique or checked here: a unique key would cost
-- most of the speed.
CREATE TABLE metrics (
  series       INTEGER NOT NULL,
  step         INTEGER NOT NULL,
  timestamp_ms INTEGER NOT NULL,
  value        REAL
);
CREATE INDEX metrics_by_series ON metrics (series);

-- How far each rank's journal was taken in; written in the same transaction as what was taken.
CREATE TABLE journals (
  run              INTEGER NOT NULL REFERENCES runs,
  rank             INTEGER NOT NULL,
  through_sequence INTEGER NOT NULL,
  PRIMARY KEY (run, rank)
) WITHOUT ROWID;
)sql";

static const char* const all_migrations[] = {migration_1_runs,          migration_2_tracking, migration_3_registry,
                                             migration_4_logged_models, migration_5_tokens,   migration_6_curves};

std::span<const char* const> migrations() { return all_migrations; }

// The file's version, if it is a store that this program may use.
static std::int64_t checked_version(Database& database, std::int64_t newest) {
  const std::int64_t version = database.number("PRAGMA user_version");
  const std::int64_t id = database.number("PRAGMA application_id");
  const bool is_empty = version == 0 && id == 0 && database.number("SELECT count(*) FROM sqlite_schema") == 0;
  if (id != application_id && !is_empty) {
    throw failure("{} is not a Lockstep history store, but some other SQLite file", database.file().string());
  }
  if (version > newest) {
    throw failure(
        "{} has schema version {}, written by a newer lockstep; this one knows versions up to {}. Use the "
        "newer one.",
        database.file().string(), version, newest);
  }
  return version;
}

void migrate(Database& database, std::span<const char* const> migrations) {
  const auto newest = static_cast<std::int64_t>(migrations.size());
  if (checked_version(database, newest) == newest) return;
  database.use_wal();
  Transaction transaction(database, Survives::power_loss);
  for (std::int64_t next = checked_version(database, newest); next < newest; ++next) {  // others may have been quicker
    database.execute(migrations[static_cast<std::size_t>(next)]);
    database.execute(fmt::format("PRAGMA user_version = {}", next + 1).c_str());
  }
  transaction.commit();
}

static void sync_folder_of(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const Fd fd = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (::fsync(fd.get()) != 0) throw system_failure("cannot sync " + folder.string());
}

// Other processes may come at any time. So the store is made in memory, written under a name of its own, and linked
// into place when it is whole; the link fails if somebody was quicker, and theirs is as good.
void create_if_missing(const fs::path& file, std::span<const char* const> migrations) {
  std::error_code ignored;
  if (fs::exists(file, ignored)) return;
  Database fresh(":memory:");
  migrate(fresh, migrations);
  fs::path part = file;
  part += ".part-" + random_hex(8);
  {
    const Fd fd = open_file(part, O_WRONLY | O_CREAT | O_EXCL);
    write_all(fd.get(), fresh.image());
    if (::fdatasync(fd.get()) != 0) throw system_failure("cannot sync " + part.string());
  }
  const bool linked = ::link(part.c_str(), file.c_str()) == 0;
  const int code = errno;
  fs::remove(part, ignored);
  errno = code;
  if (!linked && code != EEXIST) throw system_failure("cannot make " + file.string());
  sync_folder_of(file);
}

}  // namespace lockstep::history
