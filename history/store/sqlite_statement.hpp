// A statement of SQLite's.
#pragma once

#include "history/store/sqlite_database.hpp"

namespace lockstep::history {

class SqliteStatement : public Statement {
 public:
  SqliteStatement(const SqliteDatabase& database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}

  void bind(int parameter, std::optional<std::int64_t> value) override;
  void bind(int parameter, double value) override;
  void bind(int parameter, std::string_view value) override;
  void bind_pattern(int parameter, std::string_view like) override;
  bool step() override;
  void rewind() override { sqlite3_reset(statement_.get()); }
  void reset() override;

  bool is_null(int column) const override { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  std::int64_t integer(int column) const override { return sqlite3_column_int64(statement_.get(), column); }
  double real(int column) const override { return sqlite3_column_double(statement_.get(), column); }
  std::string text(int column) const override;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  void check(int code) const {
    if (code != SQLITE_OK) database_.fail(code);
  }

  const SqliteDatabase& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace lockstep::history
