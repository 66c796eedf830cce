#include "history/transfer/sqlite_file.hpp"

#include "common/error.hpp"

namespace lockstep::history::transfer {

SqliteRows::SqliteRows(const SqliteFile& file, const std::string& sql) : file_(file) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(file.connection_.get(), sql.c_str(), -1, &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) file.fail(code);
}

SqliteRows& SqliteRows::bind(std::string_view text) {
  const int code = sqlite3_bind_text64(statement_.get(), 1, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) file_.fail(code);
  return *this;
}

void SqliteRows::restart() { sqlite3_reset(statement_.get()); }

bool SqliteRows::next() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) file_.fail(code);
  return false;
}

std::string SqliteRows::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

SqliteFile::SqliteFile(const fs::path& file) : file_(file) {
  constexpr int wait_ms = 30'000;
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &connection, SQLITE_OPEN_READONLY, nullptr);
  connection_.reset(connection);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_timeout(connection, wait_ms);
  if (const int begun = sqlite3_exec(connection, "BEGIN", nullptr, nullptr, nullptr); begun != SQLITE_OK) fail(begun);
}

void SqliteFile::fail(int code) const {
  throw failure("cannot read {}: {}", file_.string(),
                connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(code));
}

bool SqliteFile::has_table(const std::string& table) const {
  SqliteRows rows(*this, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
  return rows.bind(table).next();
}

std::string SqliteFile::column(const std::string& table, const std::string& name) const {
  SqliteRows rows(*this, fmt::format("SELECT 1 FROM pragma_table_info('{}') WHERE name = ?", table));
  return rows.bind(name).next() ? name : "NULL";
}

std::int64_t SqliteFile::number(const std::string& sql) const {
  SqliteRows rows(*this, sql);
  return rows.next() ? rows.integer(0) : 0;
}

}  // namespace lockstep::history::transfer
