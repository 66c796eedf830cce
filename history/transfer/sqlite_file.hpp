// Somebody else's SQLite file, opened for reading only. Every failure is an Error that names the file.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/file.hpp"

namespace lockstep::history::transfer {

class SqliteFile;

// The rows of one question.
class SqliteRows {
 public:
  SqliteRows(const SqliteFile& file, const std::string& sql);
  SqliteRows& bind(std::string_view text);  // ?1
  void restart();                           // the same question, to be bound anew
  bool next();

  bool is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  double real(int column) const { return sqlite3_column_double(statement_.get(), column); }
  std::string text(int column) const;  // "" for NULL

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  const SqliteFile& file_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqliteFile {
 public:
  explicit SqliteFile(const fs::path& file);  // what is read from now on is of one moment
  bool has_table(const std::string& table) const;
  // The column where there is one; "NULL" else: older files lack some.
  std::string column(const std::string& table, const std::string& name) const;
  std::int64_t number(const std::string& sql) const;  // the one that `sql` gives; 0 for none
  [[noreturn]] void fail(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  friend class SqliteRows;
  fs::path file_;
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace lockstep::history::transfer
