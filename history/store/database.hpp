// SQLite as this store uses it: one connection with cached statements, queries that reset themselves, transactions
// that roll back unless they are committed. Every failure is an Error that names the file.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/file.hpp"
#include "history/store/values.hpp"

namespace lockstep::history {

class Database;
class Transaction;

// One use of a statement. Parameters are bound in order; texts are copied.
class Query {
 public:
  enum class Ends { cached, finalized };
  Query(Database& database, sqlite3_stmt* statement, Ends ends = Ends::cached)
      : database_(database), statement_(statement), ends_(ends) {}
  Query(Query&& other) noexcept
      : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)), ends_(other.ends_) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  Query& operator=(Query&&) = delete;
  ~Query();

  template <class... Values>
  Query& bind(const Values&... values) {
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }
  template <class Value>
  Query& bind_at(int index, const Value& value) {  // ?1 is index 1
    bind_one(index, value);
    return *this;
  }
  bool step();       // true: there is a row to read
  void run();        // for statements that give no rows
  void run_again();  // run, ready to be bound anew

  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double real(int column) const { return sqlite3_column_double(statement_, column); }
  std::string text(int column) const;

 private:
  void bind_one(int index, std::int64_t value);
  void bind_one(int index, int value) { bind_one(index, static_cast<std::int64_t>(value)); }
  void bind_one(int index, double value);  // NaN becomes NULL: SQLite knows no other way
  void bind_one(int index, std::string_view value);
  void bind_one(int index, std::optional<int> value);  // nullopt becomes NULL
  void check_bound(int code);

  Database& database_;
  sqlite3_stmt* statement_;
  Ends ends_;
};

class Database {
 public:
  // Opens the file, which must exist, for several processes at once: they wait up to 30 s for each other.
  explicit Database(const fs::path& file);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  Query query(std::string_view sql);          // prepared once for each text
  Query prepare(std::string_view sql);        // for this one use: texts that are as many as there are searches
  void execute(const char* sql);              // one or more statements, no results
  void roll_back(const char* sql);            // as `sql` says; does not fail
  std::int64_t number(std::string_view sql);  // the one number that `sql` gives
  std::int64_t last_insert_rowid() const { return sqlite3_last_insert_rowid(connection_.get()); }
  bool in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }
  int changed_rows() const { return sqlite3_changes(connection_.get()); }

  void use_wal();                        // for good: the file remembers it
  std::string image();                   // the bytes of the file as it would be now, in WAL mode
  void set_survival(Survives survives);  // of the transactions that begin from now on
  void sync_log();                       // what was committed survives power loss when this returns
  void checkpoint(bool begin_log_anew);  // without waiting for anybody; or, if asked for, with writers held up
  // From now on somebody else does the checkpoints: `told` gets the pages of the log after each commit.
  void leave_checkpoints_to(std::function<void(int)> told) { told_ = std::move(told); }
  [[noreturn]] void fail(int code) const;
  const fs::path& file() const { return file_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3_stmt* compiled(std::string_view sql, unsigned flags);
  static int wait_for_others(void* self, int calls_before);
  static int after_commit(void* self, sqlite3* connection, const char* name, int wal_pages);

  fs::path file_;
  std::unique_ptr<sqlite3, Close> connection_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, std::less<>> statements_;
  friend class Transaction;
  Survives survives_ = Survives::power_loss;
  Transaction* outermost_ = nullptr;  // that is open
  std::int64_t wait_until_ms_ = 0;    // by monotonic_ms()
  int wal_pages_ = 0;                 // in the write-ahead log, at our last commit
  std::function<void(int)> told_;     // empty: we do the checkpoints
};

// What is read while this lives is of one moment. Inside a Transaction it is of that.
class Snapshot {
 public:
  explicit Snapshot(Database& database);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Database* database_;  // null: somebody else's transaction
};

// A write transaction. It takes the write lock at once, so that it never has to be retried in the middle. One inside
// another is a part of it, which can be undone by itself; what is written survives what the most demanding part asks
// for.
class Transaction {
 public:
  Transaction(Database& database, Survives survives);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  bool is_outermost() const { return database_.outermost_ == this; }

  Database& database_;
  bool open_ = true;
  bool sync_afterwards_ = false;  // a part asked for more than the whole
};

}  // namespace lockstep::history
