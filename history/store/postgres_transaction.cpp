#include <cstring>

#include "common/error.hpp"
#include "history/store/postgres_database.hpp"

namespace lockstep::history {

// "LkSt", as in a file of SQLite's.
static const char* const begin_of_transaction = "BEGIN; SELECT pg_advisory_xact_lock(1282102132)";

void PostgresDatabase::begin(Survives) {
  rows_.clear();
  sent_ = 0;
  parts_.clear();
  try {
    answer([this] { return PQsendQuery(connection(), begin_of_transaction); });
  } catch (const Error&) {
    try_simple("ROLLBACK");  // there was a BEGIN
    throw;
  }
}

// Of a transaction in which a statement failed, COMMIT says "ROLLBACK" and no error.
void PostgresDatabase::commit() {
  send_rows();
  const Result result = answer([this] { return PQsendQuery(connection(), "COMMIT"); });
  if (std::strcmp(PQcmdStatus(result.get()), "COMMIT") != 0) {
    throw failure("history store {}: the commit was rolled back", shown_);
  }
}

void PostgresDatabase::roll_back() noexcept {
  try_simple("ROLLBACK");
  rows_.clear();
  sent_ = 0;
}

void PostgresDatabase::begin_part(Survives) {
  simple("SAVEPOINT part");
  parts_.push_back({rows_.size(), sent_});
}

void PostgresDatabase::commit_part() {
  simple("RELEASE part");
  parts_.pop_back();
  forget_sent_rows();
}

// Rows that were appended before the part, and sent in it, have to be sent once more.
void PostgresDatabase::roll_back_part() noexcept {
  try_simple("ROLLBACK TO part; RELEASE part");
  rows_.resize(parts_.back().bytes);
  sent_ = parts_.back().sent;
  parts_.pop_back();
}

void PostgresDatabase::begin_reading() {
  answer([this] { return PQsendQuery(connection(), "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); });
}

void PostgresDatabase::end_reading() noexcept { try_simple("ROLLBACK"); }

}  // namespace lockstep::history
