#include "history/store/postgres_database.hpp"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "history/store/postgres_statement.hpp"

namespace lockstep::history {

static constexpr int without_limit = -1;

// What a connection begins with. Nobody waits for the others' lock for more than 30 s, as with SQLite, and who has it
// and says nothing for a minute (its machine is gone) loses it.
static const char* const begin_of_connection =
    "SET search_path TO lockstep; SET lock_timeout TO '30s'; SET statement_timeout TO '60s'; "
    "SET idle_in_transaction_session_timeout TO '60s'; SET standard_conforming_strings TO on";

PostgresDatabase::PostgresDatabase(const std::string& url) : url_(url), shown_(url_.shown()) { connect(); }

PostgresDatabase::~PostgresDatabase() { forget_statements(); }

void PostgresDatabase::connect() {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : url_.settings()) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectdbParams(names.data(), values.data(), 0));
  if (PQstatus(connection_.get()) != CONNECTION_OK) fail(nullptr);
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  ++number_;
  simple(begin_of_connection);
}

bool PostgresDatabase::is_lost() const { return PQstatus(connection_.get()) != CONNECTION_OK; }

// The last result of what was sent; there is one for each statement.
PostgresDatabase::Result PostgresDatabase::received(int seconds) {
  const std::int64_t until = monotonic_ms() + 1000LL * (seconds + 10);  // the server's own limit comes first
  Result last;
  while (true) {
    while (PQisBusy(connection_.get()) != 0) {
      const std::int64_t left = seconds == without_limit ? -1 : std::max<std::int64_t>(until - monotonic_ms(), 0);
      pollfd socket{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
      const int ready = ::poll(&socket, 1, static_cast<int>(left));
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) {
        connection_.reset();  // what still comes is not ours any more
        throw failure("history store {}: no answer within {} s", shown_, seconds + 10);
      }
      if (PQconsumeInput(connection_.get()) == 0) fail(nullptr);
    }
    Result next(PQgetResult(connection_.get()));
    if (!next) return last;
    const ExecStatusType status = PQresultStatus(next.get());
    const bool failed_before = last && PQresultStatus(last.get()) == PGRES_FATAL_ERROR;
    if (!failed_before) last = std::move(next);
    if (status == PGRES_COPY_IN) return last;
  }
}

PostgresDatabase::Result PostgresDatabase::checked(Result result) {
  switch (PQresultStatus(result.get())) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_COPY_IN:
      break;
    default:
      fail(result.get());
  }
  const std::string rows = PQcmdTuples(result.get());
  changed_rows_ = rows.empty() ? 0 : std::stoi(rows);
  return result;
}

PostgresDatabase::Result PostgresDatabase::answer(const std::function<int()>& send) {
  if (in_transaction()) {
    if (is_lost() || send() == 0) fail(nullptr);
    return checked(received(longest_statement_s));
  }
  for (bool again = false;; again = true) {
    if (is_lost()) connect();
    try {
      if (send() == 0) fail(nullptr);
      return checked(received(longest_statement_s));
    } catch (const Error&) {
      if (again || !is_lost()) throw;
    }
  }
}

void PostgresDatabase::simple(const char* sql) {
  if (PQsendQuery(connection_.get(), sql) == 0) fail(nullptr);
  checked(received(longest_statement_s));
}

void PostgresDatabase::try_simple(const char* sql) noexcept {
  try {
    if (!is_lost()) simple(sql);
  } catch (...) {
    connection_.reset();  // then the server rolls back by itself
  }
}

void PostgresDatabase::execute(const std::string& sql) {
  simple("SET LOCAL statement_timeout TO 0");
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) fail(nullptr);
  checked(received(without_limit));
}

std::unique_ptr<Statement> PostgresDatabase::compile(std::string_view sql, Use use) {
  static std::atomic<int> statements = 0;
  return std::make_unique<PostgresStatement>(*this, in_postgres_words(sql),
                                             use == Use::once ? "" : fmt::format("s{}", ++statements));
}

static const char* what_to_do(std::string_view code) {
  if (code == "55P03") return "; another process has held it for 30 s";
  if (code == "57014") return "; it took too long";
  if (code == "53100") return "; the disk is full";
  if (code == "42501")
    return "; may this user create a schema here? An administrator can: CREATE SCHEMA lockstep AUTHORIZATION ...";
  if (code == "25006") return "; this server is a standby: name the primary";
  return "";
}

// Data that can't be kept, such as \u0000 in JSON, is the client's mistake.
void PostgresDatabase::fail(const PGresult* result) const {
  const char* code = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  std::string said = primary != nullptr ? primary : PQerrorMessage(connection_.get());
  while (!said.empty() && said.back() == '\n') said.pop_back();
  if (code == nullptr) throw failure("history store {}: {}", shown_, said);
  const std::string_view state = code;
  if (state.starts_with("22")) throw bad_input("PostgreSQL, where this history is kept, refuses a value: {}", said);
  throw failure("history store {}: {} (PostgreSQL {}){}", shown_, said, state, what_to_do(state));
}

}  // namespace lockstep::history
