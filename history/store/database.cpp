#include "history/store/database.hpp"

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/fault.hpp"

namespace lockstep::history {

static constexpr int busy_timeout_ms = 30'000;

Query::~Query() {
  if (statement_ == nullptr) return;
  if (ends_ == Ends::finalized) {
    sqlite3_finalize(statement_);
    return;
  }
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Query::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  database_.fail(code);
}

void Query::run() {
  while (step()) {
  }
}

void Query::run_again() {
  run();
  sqlite3_reset(statement_);
}

std::string Query::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Query::check_bound(int code) {
  if (code != SQLITE_OK) database_.fail(code);
}
void Query::bind_one(int index, std::int64_t value) { check_bound(sqlite3_bind_int64(statement_, index, value)); }
void Query::bind_one(int index, double value) { check_bound(sqlite3_bind_double(statement_, index, value)); }
void Query::bind_one(int index, std::optional<int> value) {
  check_bound(value ? sqlite3_bind_int64(statement_, index, *value) : sqlite3_bind_null(statement_, index));
}
void Query::bind_one(int index, std::string_view value) {
  const char* bytes = value.data() == nullptr ? "" : value.data();  // a null pointer would be bound as NULL
  check_bound(sqlite3_bind_text64(statement_, index, bytes, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

Database::Database(const fs::path& file) : file_(file) {
  sqlite3* connection = nullptr;
  constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;  // one thread: no mutex
  const int code = sqlite3_open_v2(file.c_str(), &connection, flags, nullptr);
  connection_.reset(connection);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_handler(connection, wait_for_others, this);
  sqlite3_wal_hook(connection, after_commit, this);
  // A command that opens the store, writes a row and goes would pay two syncs for tidying up. The log stays, and the
  // next one reads it; ~Database keeps it short.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Database::~Database() {
  constexpr int worth_tidying = 100;
  statements_.clear();
  if (wal_pages_ < worth_tidying) return;
  sqlite3_busy_handler(connection_.get(), nullptr, nullptr);  // if somebody else works with it, it is theirs to tidy
  sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

// SQLite's own handler sleeps up to 100 ms between two tries; others hold the lock for one commit.
int Database::wait_for_others(void* self, int calls_before) {
  auto& database = *static_cast<Database*>(self);
  if (calls_before == 0) database.wait_until_ms_ = monotonic_ms() + busy_timeout_ms;
  if (monotonic_ms() > database.wait_until_ms_) return 0;
  sqlite3_sleep(1);
  return 1;
}

// Switching asks for an exclusive lock without calling the busy handler, so when several processes switch the same
// file we wait here.
void Database::use_wal() {
  const std::int64_t deadline = monotonic_ms() + busy_timeout_ms;
  while (true) {
    const int code = sqlite3_exec(connection_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return;
    if ((code & 0xFF) != SQLITE_BUSY || monotonic_ms() > deadline) fail(code);
    sqlite3_sleep(1);
  }
}

std::string Database::image() {
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> bytes(sqlite3_serialize(connection_.get(), "main", &size, 0),
                                                              sqlite3_free);
  if (!bytes) fail(SQLITE_NOMEM);
  std::string image(reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(size));
  image.at(18) = image.at(19) = 2;  // read and write version: WAL (sqlite.org/fileformat2, section 1.3.3)
  return image;
}

// What SQLite's auto-checkpoint does, with an eye on the length of the log.
int Database::after_commit(void* self, sqlite3* connection, const char* name, int wal_pages) {
  constexpr int checkpoint_pages = 4000;  // 16 MiB: each checkpoint waits for the disk twice
  auto& database = *static_cast<Database*>(self);
  database.wal_pages_ = wal_pages;
  if (database.told_) {
    database.told_(wal_pages);
  } else if (wal_pages >= checkpoint_pages) {
    sqlite3_wal_checkpoint_v2(connection, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }
  return SQLITE_OK;  // a checkpoint that failed is tried again after the next commit
}

// A log is begun anew by the next commit after a checkpoint that reached its end. What was committed during a
// checkpoint is left over, and less each time: so a few in a row nearly always get there between two commits.
void Database::checkpoint(bool begin_log_anew) {
  constexpr int tries = 8;
  int pages = 1;
  int done = 0;
  for (int i = 0; i < tries && done < pages; ++i) {
    const int code = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &done);
    if (code != SQLITE_OK) return;  // somebody else is at it, or the disk is full: after a later commit, then
  }
  if (begin_log_anew && done < pages) {
    sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
  }
}

sqlite3_stmt* Database::compiled(std::string_view sql, unsigned flags) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()), flags, &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  return statement;
}

Query Database::query(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) found = statements_.emplace(sql, compiled(sql, SQLITE_PREPARE_PERSISTENT)).first;
  return {*this, found->second.get()};
}

Query Database::prepare(std::string_view sql) { return {*this, compiled(sql, 0), Query::Ends::finalized}; }

void Database::execute(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

// A failure is none: after a full disk, for one, SQLite has rolled back by itself.
void Database::roll_back(const char* sql) { sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr); }

std::int64_t Database::number(std::string_view sql) {
  Query question = query(sql);
  return question.step() ? question.integer(0) : 0;
}

// The pragma acts when it is compiled, so it can't be a cached statement.
void Database::set_survival(Survives survives) {
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

void Database::fail(int code) const {
  const std::string said = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(code);
  throw failure("history store {}: {} (SQLite {}){}", file_.string(), said, code, what_to_do(code));
}

// SQLite syncs after each commit, or never; it can't be told otherwise inside a transaction.
void Database::sync_log() {
  sqlite3_file* log = nullptr;
  const int found =
      sqlite3_file_control(connection_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&log));
  if (found != SQLITE_OK) fail(found);
  if (log == nullptr || log->pMethods == nullptr) return;  // a database in memory
  if (const int code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL); code != SQLITE_OK) fail(code);
}

Snapshot::Snapshot(Database& database) : database_(database.in_transaction() ? nullptr : &database) {
  if (database_ != nullptr) database_->query("BEGIN").run();
}

Snapshot::~Snapshot() {
  if (database_ != nullptr) database_->roll_back("ROLLBACK");
}

Transaction::Transaction(Database& database, Survives survives) : database_(database) {
  if (database_.outermost_ != nullptr) {
    if (survives == Survives::power_loss && database_.survives_ != Survives::power_loss) {
      database_.outermost_->sync_afterwards_ = true;
    }
    // After a full disk, for one, SQLite has rolled all of it back by itself.
    if (sqlite3_get_autocommit(database_.connection_.get()) != 0) {
      throw failure("history store {}: the commit that this belongs to was rolled back", database_.file().string());
    }
    database_.query("SAVEPOINT part").run();
    return;
  }
  database_.set_survival(survives);
  database_.query("BEGIN IMMEDIATE").run();
  database_.outermost_ = this;
}

Transaction::~Transaction() {
  const bool outermost = is_outermost();
  if (outermost) database_.outermost_ = nullptr;
  if (open_) database_.roll_back(outermost ? "ROLLBACK" : "ROLLBACK TO part; RELEASE part");
}

void Transaction::commit() {
  if (!is_outermost()) {
    database_.query("RELEASE part").run();
    open_ = false;
    return;
  }
  fault_point("store-before-commit");
  database_.query("COMMIT").run();
  open_ = false;
  if (sync_afterwards_) database_.sync_log();
  fault_point("store-after-commit");
}

}  // namespace lockstep::history
