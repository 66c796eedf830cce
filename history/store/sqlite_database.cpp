#include "history/store/sqlite_database.hpp"

#include "common/clock.hpp"
#include "common/error.hpp"
#include "history/store/sqlite_log_writes.hpp"
#include "history/store/sqlite_statement.hpp"

namespace lockstep::history {

static constexpr int busy_timeout_ms = 30'000;

SqliteDatabase::SqliteDatabase(const fs::path& file) : file_(file) {
  sqlite3* connection = nullptr;
  constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;  // one thread: no mutex
  const int code = sqlite3_open_v2(file.c_str(), &connection, flags, vfs_with_large_log_writes());
  connection_.reset(connection);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_handler(connection, wait_for_others, this);
  sqlite3_wal_hook(connection, after_commit, this);
  // The pages that a part of a transaction changes are kept as they were, to undo it: in files otherwise, which took a
  // third of the writer's time.
  execute("PRAGMA temp_store = MEMORY");
  // A command that opens the store, writes a row and goes would pay two syncs for tidying up. The log stays, and the
  // next one reads it; ~SqliteDatabase keeps it short.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

SqliteDatabase::~SqliteDatabase() {
  constexpr int worth_tidying = 100;
  told_ = {};  // whoever does the checkpoints ends first
  forget_statements();
  if (wal_pages_ < worth_tidying) return;
  sqlite3_busy_handler(connection_.get(), nullptr, nullptr);  // if somebody else works with it, it is theirs to tidy
  sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

// SQLite's own handler sleeps up to 100 ms between two tries; others hold the lock for one commit.
int SqliteDatabase::wait_for_others(void* self, int calls_before) {
  auto& database = *static_cast<SqliteDatabase*>(self);
  if (calls_before == 0) database.wait_until_ms_ = monotonic_ms() + busy_timeout_ms;
  if (monotonic_ms() > database.wait_until_ms_) return 0;
  sqlite3_sleep(1);
  return 1;
}

// Switching asks for an exclusive lock without calling the busy handler, so when several processes switch the same
// file we wait here.
void SqliteDatabase::use_wal() {
  const std::int64_t deadline = monotonic_ms() + busy_timeout_ms;
  while (true) {
    const int code = sqlite3_exec(connection_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return;
    if ((code & 0xFF) != SQLITE_BUSY || monotonic_ms() > deadline) fail(code);
    sqlite3_sleep(1);
  }
}

std::string SqliteDatabase::image() {
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> bytes(sqlite3_serialize(connection_.get(), "main", &size, 0),
                                                              sqlite3_free);
  if (!bytes) fail(SQLITE_NOMEM);
  std::string image(reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(size));
  image.at(18) = image.at(19) = 2;  // read and write version: WAL (sqlite.org/fileformat2, section 1.3.3)
  return image;
}

// What SQLite's auto-checkpoint does, with an eye on the length of the log.
int SqliteDatabase::after_commit(void* self, sqlite3* connection, const char* name, int wal_pages) {
  constexpr int checkpoint_pages = 4000;  // 16 MiB: each checkpoint waits for the disk twice
  auto& database = *static_cast<SqliteDatabase*>(self);
  database.wal_pages_ = wal_pages;
  if (database.told_) {
    database.told_(wal_pages);
  } else if (wal_pages >= checkpoint_pages) {
    sqlite3_wal_checkpoint_v2(connection, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }
  return SQLITE_OK;  // a checkpoint that failed is tried again after the next commit
}

void SqliteDatabase::checkpoint() noexcept {
  try_to_execute("PRAGMA user_version");  // without a look at the file a connection has no log, and nothing happens
  sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

std::unique_ptr<Statement> SqliteDatabase::compile(std::string_view sql, Use use) {
  sqlite3_stmt* statement = nullptr;
  const unsigned flags = use == Use::often ? SQLITE_PREPARE_PERSISTENT : 0;
  const int code =
      sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()), flags, &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  return std::make_unique<SqliteStatement>(*this, statement);
}

void SqliteDatabase::execute(const std::string& sql) {
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

void SqliteDatabase::try_to_execute(const char* sql) noexcept {
  sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
}

// The pragma acts when it is compiled, so it can't be a cached statement.
void SqliteDatabase::set_survival(Survives survives) {
  if (survives == survives_) return;
  execute(survives == Survives::power_loss ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  survives_ = survives;
}

static const char* what_to_do(int code) {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "; another process has held it for 30 s";
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return "; it is damaged, or no SQLite file: move it away, and a new one is made";
    case SQLITE_FULL:
      return "; the disk is full";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return "; is the folder there, and writable by you?";
    default:
      return "";
  }
}

void SqliteDatabase::fail(int code) const {
  const std::string said = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(code);
  throw failure("history store {}: {} (SQLite {}){}", file_.string(), said, code, what_to_do(code));
}

// SQLite syncs after each commit, or never; it can't be told otherwise inside a transaction.
void SqliteDatabase::sync_log() {
  sqlite3_file* log = nullptr;
  const int found =
      sqlite3_file_control(connection_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&log));
  if (found != SQLITE_OK) fail(found);
  if (log == nullptr || log->pMethods == nullptr) return;  // a database in memory
  if (const int code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL); code != SQLITE_OK) fail(code);
}

void SqliteDatabase::begin(Survives survives) {
  set_survival(survives);
  sync_afterwards_ = false;
  query("BEGIN IMMEDIATE").run();
}

void SqliteDatabase::commit() {
  query("COMMIT").run();
  if (sync_afterwards_) sync_log();
}

// After a full disk, for one, SQLite has rolled all of it back by itself.
void SqliteDatabase::roll_back() noexcept { try_to_execute("ROLLBACK"); }

void SqliteDatabase::begin_part(Survives survives) {
  if (survives == Survives::power_loss && survives_ != Survives::power_loss) sync_afterwards_ = true;
  if (sqlite3_get_autocommit(connection_.get()) != 0) {
    throw failure("history store {}: the commit that this belongs to was rolled back", file_.string());
  }
  query("SAVEPOINT part").run();
}

void SqliteDatabase::commit_part() { query("RELEASE part").run(); }
void SqliteDatabase::roll_back_part() noexcept { try_to_execute("ROLLBACK TO part; RELEASE part"); }
void SqliteDatabase::begin_reading() { query("BEGIN").run(); }
void SqliteDatabase::end_reading() noexcept { try_to_execute("ROLLBACK"); }

}  // namespace lockstep::history
