#include "history/store/sqlite_statement.hpp"

namespace lockstep::history {

void SqliteStatement::bind(int parameter, std::optional<std::int64_t> value) {
  check(value ? sqlite3_bind_int64(statement_.get(), parameter, *value)
              : sqlite3_bind_null(statement_.get(), parameter));
}

void SqliteStatement::bind(int parameter, double value) {
  check(sqlite3_bind_double(statement_.get(), parameter, value));  // which makes NULL of NaN
}

void SqliteStatement::bind(int parameter, std::string_view value) {
  const char* bytes = value.data() == nullptr ? "" : value.data();  // a null pointer would be bound as NULL
  check(sqlite3_bind_text64(statement_.get(), parameter, bytes, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

// SQLite's LIKE takes 'a' for 'A', MLflow's does not. GLOB tells them apart; its wildcards are others.
void SqliteStatement::bind_pattern(int parameter, std::string_view like) {
  std::string glob;
  for (const char c : like) {
    if (c == '%') {
      glob += '*';
    } else if (c == '_') {
      glob += '?';
    } else if (c == '*' || c == '?' || c == '[') {
      (((glob += '[') += c) += ']');
    } else {
      glob += c;
    }
  }
  bind(parameter, std::string_view(glob));
}

bool SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  database_.fail(code);
}

void SqliteStatement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::string SqliteStatement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

}  // namespace lockstep::history
