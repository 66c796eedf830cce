// The store over SQLite. Each file of this folder holds the calls of one kind.
#pragma once

#include "history/store/database.hpp"
#include "history/store/store.hpp"

namespace lockstep::history {

class SqliteStore : public Store {
 public:
  explicit SqliteStore(const fs::path& file);  // which must exist

  // experiments.cpp
  Experiment get_or_create_experiment(const std::string& name) override;
  Experiment get_experiment(const std::string& name_or_id) override;
  std::vector<Experiment> list_experiments(View view) override;

  // runs.cpp
  void create_run(const NewRun& run) override;
  Run get_run(const std::string& run_id) override;
  RunPage list_runs(const RunQuery& query) override;
  void set_lifecycle(const std::string& run_id, Lifecycle lifecycle) override;

  // transitions.cpp
  std::vector<StateChange> state_history(const std::string& run_id) override;
  std::int64_t take_ownership(const std::string& run_id) override;
  void transition(const std::string& run_id, std::int64_t epoch, RunState to, const Outcome& outcome) override;
  bool request_cancel(const std::string& run_id, const std::string& reason) override;

  // batches.cpp
  void log_batch(const std::string& run_id, std::span<const Metric> metrics, std::span<const KeyValue> params,
                 std::span<const KeyValue> tags) override;
  std::vector<std::string> take_journal(const std::string& run_id, const JournalBatch& batch) override;
  std::int64_t journal_taken_through(const std::string& run_id, int rank) override;

  // values.cpp
  std::vector<KeyValue> params(const std::string& run_id) override;
  std::vector<KeyValue> tags(const std::string& run_id) override;
  std::vector<Metric> latest_metrics(const std::string& run_id) override;
  std::vector<Metric> metric_history(const std::string& run_id, const std::string& key) override;

 private:
  std::int64_t number_of(const std::string& run_id);  // runs.number; not_found names the nearest id
  [[noreturn]] void run_not_found(const std::string& run_id);
  void set_state(std::int64_t run, RunState to, const Outcome& outcome);

  // Inside a transaction. Each gives the mistakes it found (write_checked: and writes everything else).
  std::vector<std::string> write_checked(std::int64_t run, std::span<const Metric> metrics,
                                         std::span<const KeyValue> params, std::span<const KeyValue> tags);
  void write_checked_or_throw(std::int64_t run, std::span<const Metric> metrics, std::span<const KeyValue> params,
                              std::span<const KeyValue> tags);
  void write_metrics(std::int64_t run, std::span<const Metric* const> metrics);  // keys already checked
  std::optional<std::string> write_param(std::int64_t run, std::string_view key, std::string_view value);
  void write_tag(std::int64_t run, std::string_view key, std::string_view value);

  Database database_;
};

}  // namespace lockstep::history
