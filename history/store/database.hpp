// What the store asks of a database, whichever engine is behind it: one connection with cached statements, queries that
// reset themselves, transactions that roll back unless they are committed. Every failure is an Error that names the
// database.
//
// The SQL is SQLite's; an engine that says something in another way translates it (postgres_sql.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "history/store/query.hpp"
#include "history/store/values.hpp"

namespace lockstep::history {

class MetricRows;

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  Query query(std::string_view sql);          // prepared once for each text
  Query prepare(std::string_view sql);        // for this one use: texts that are as many as there are searches
  std::int64_t number(std::string_view sql);  // the one number that `sql` gives; 0 for none
  bool in_transaction() const { return writing_ || reading_; }

  virtual void execute(const std::string& sql) = 0;  // one or more statements, no results
  virtual int changed_rows() const = 0;              // by the last statement
  virtual MetricRows& metric_rows() = 0;
  virtual void learn_sizes() {}  // of tables, after they have grown much, for an engine that plans by them

 protected:
  enum class Use { once, often };
  virtual std::unique_ptr<Statement> compile(std::string_view sql, Use use) = 0;
  void forget_statements() { statements_.clear(); }  // before the connection goes

  // How a transaction is carried out; `part`: within one that is open. To roll back never fails.
  virtual void begin(Survives survives) = 0;
  virtual void commit() = 0;
  virtual void roll_back() noexcept = 0;
  virtual void begin_part(Survives survives) = 0;
  virtual void commit_part() = 0;
  virtual void roll_back_part() noexcept = 0;
  virtual void begin_reading() = 0;
  virtual void end_reading() noexcept = 0;

 private:
  friend class Transaction;
  friend class Snapshot;

  std::map<std::string, std::unique_ptr<Statement>, std::less<>> statements_;
  bool writing_ = false;
  bool reading_ = false;
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

// A write transaction. It waits for its turn at once, and is then the only one, so that it never has to be retried in
// the middle. One inside another is a part of it, which can be undone by itself; what is written survives what the most
// demanding part asks for.
class Transaction {
 public:
  Transaction(Database& database, Survives survives);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool is_part_;
  bool open_ = true;
};

}  // namespace lockstep::history
