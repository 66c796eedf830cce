// PostgreSQL behind the store: one connection, which is made anew when it was lost between two transactions.
//
// Writers of all processes take turns by an advisory lock, as they do at a file of SQLite's: no transaction is ever
// refused because of another, and rows are numbered in the order in which they are committed. What a commit costs is
// shared by all that wait meanwhile (server/workers.hpp). Each commit survives a power loss of the database's machine.
//
// The tables lie in a schema of their own, `lockstep`, beside whatever else the database holds.
#pragma once

#include <libpq-fe.h>

#include <functional>

#include "history/store/database.hpp"
#include "history/store/metric_rows.hpp"
#include "history/store/postgres_url.hpp"

namespace lockstep::history {

class PostgresDatabase : public Database, private MetricRows {
 public:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Result = std::unique_ptr<PGresult, Clear>;

  explicit PostgresDatabase(const std::string& url);
  ~PostgresDatabase() override;

  void execute(const std::string& sql) override;  // as long as it takes
  int changed_rows() const override { return changed_rows_; }
  MetricRows& metric_rows() override { return *this; }
  void learn_sizes() override { execute("ANALYZE"); }  // by itself it does so a minute later
  const std::string& shown() const { return shown_; }

  // For statements. `send` starts one on connection(); its result is waited for, up to a limit. Outside a transaction
  // it is started once more after the connection was lost.
  Result answer(const std::function<int()>& send);
  PGconn* connection() const { return connection_.get(); }
  void send_rows();                                  // that were appended and wait
  int connection_number() const { return number_; }  // another one after each that was lost

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  static constexpr int longest_statement_s = 60;
  struct Part {
    std::size_t bytes = 0;  // of rows_ when it began
    std::size_t sent = 0;
  };

  std::unique_ptr<Statement> compile(std::string_view sql, Use use) override;
  void begin(Survives survives) override;
  void commit() override;
  void roll_back() noexcept override;
  void begin_part(Survives survives) override;
  void commit_part() override;
  void roll_back_part() noexcept override;
  void begin_reading() override;
  void end_reading() noexcept override;

  std::vector<SeriesRow> find_or_create(std::int64_t run, std::span<const Metric* const> first_of_each_key) override;
  void append(std::span<const MetricRow> rows) override;
  void update(std::span<const SeriesRow> rows) override;

  void connect();
  bool is_lost() const;
  Result received(int seconds);
  Result checked(Result result);
  void simple(const char* sql);
  void try_simple(const char* sql) noexcept;
  void forget_sent_rows();
  [[noreturn]] void fail(const PGresult* result) const;

  PostgresUrl url_;
  std::string shown_;
  std::unique_ptr<PGconn, Finish> connection_;
  int number_ = 0;
  int changed_rows_ = 0;
  std::string rows_;      // of table metrics, in COPY's binary form: those of this transaction that may have to be sent
  std::size_t sent_ = 0;  // bytes of them that were
  std::vector<Part> parts_;
};

}  // namespace lockstep::history
