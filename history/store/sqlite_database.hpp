// SQLite behind the store: one connection to one file.
#pragma once

#include <sqlite3.h>

#include <functional>

#include "common/file.hpp"
#include "history/store/database.hpp"
#include "history/store/metric_rows.hpp"

namespace lockstep::history {

class SqliteDatabase : public Database, private MetricRows {
 public:
  // Opens the file, which must exist, for several processes at once: they wait up to 30 s for each other.
  explicit SqliteDatabase(const fs::path& file);
  ~SqliteDatabase() override;

  void execute(const std::string& sql) override;
  int changed_rows() const override { return sqlite3_changes(connection_.get()); }
  MetricRows& metric_rows() override { return *this; }

  void use_wal();       // for good: the file remembers it
  std::string image();  // the bytes of the file as it would be now, in WAL mode
  // Moves into the file what the log has of commits and no reader needs there, and waits for nobody. If that was all of
  // it, the next commit begins the log anew. What fails, on a full disk for one, is left for the next time.
  void checkpoint() noexcept;
  // From now on somebody else does the checkpoints: `told` gets the pages of the log after each commit.
  void leave_checkpoints_to(std::function<void(int)> told) { told_ = std::move(told); }
  [[noreturn]] void fail(int code) const;
  const fs::path& file() const { return file_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
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
  SeriesRow find_or_create(std::int64_t run, const Metric& first);

  void set_survival(Survives survives);           // of the transactions that begin from now on
  void sync_log();                                // what was committed survives power loss when this returns
  void try_to_execute(const char* sql) noexcept;  // a failure is none
  static int wait_for_others(void* self, int calls_before);
  static int after_commit(void* self, sqlite3* connection, const char* name, int wal_pages);

  fs::path file_;
  std::unique_ptr<sqlite3, Close> connection_;
  Survives survives_ = Survives::power_loss;
  bool sync_afterwards_ = false;    // a part asked for more than the whole
  std::int64_t wait_until_ms_ = 0;  // by monotonic_ms()
  int wal_pages_ = 0;               // in the write-ahead log, at our last commit
  std::function<void(int)> told_;   // empty: we do the checkpoints
};

}  // namespace lockstep::history
