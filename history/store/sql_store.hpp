// The store over a database. Each file of this folder holds the calls of one kind.
#pragma once

#include "history/store/database.hpp"
#include "history/store/store.hpp"

namespace lockstep::history {

class SqlStore : public Store {
 public:
  explicit SqlStore(std::unique_ptr<Database> database);  // with the newest schema

  void check_may_change_run(const std::string&) override {}  // it is its owner's
  void check_may_change_model(const std::string&) override {}
  void in_one_commit(Survives survives, const std::function<void()>& work) override;

  // experiments.cpp
  Experiment create_experiment(const std::string& name, const std::string& artifact_location,
                               const std::vector<KeyValue>& tags) override;
  Experiment get_experiment_by_id(const std::string& experiment_id) override;
  Experiment get_experiment_by_name(const std::string& name) override;
  void rename_experiment(const std::string& experiment_id, const std::string& name) override;
  void set_experiment_lifecycle(const std::string& experiment_id, Lifecycle lifecycle) override;
  void set_experiment_tag(const std::string& experiment_id, const KeyValue& tag) override;
  void delete_experiment_tag(const std::string& experiment_id, const std::string& key) override;
  Experiment get_or_create_experiment(const std::string& name) override;
  Experiment get_experiment(const std::string& name_or_id) override;
  std::vector<Experiment> list_experiments(View view) override;

  // runs.cpp
  void create_run(const NewRun& run) override;
  Run get_run(const std::string& run_id) override;
  RunPage list_runs(const RunQuery& query) override;
  void set_lifecycle(const std::string& run_id, Lifecycle lifecycle) override;
  FullRun get_full_run(const std::string& run_id) override;
  void update_run(const std::string& run_id, const RunUpdate& update) override;

  // search_runs.cpp, search_experiments.cpp
  FullRunPage search_runs(const Search& search) override;
  ExperimentPage search_experiments(const Search& search) override;

  // datasets.cpp
  void log_inputs(const std::string& run_id, const std::vector<DatasetInput>& datasets,
                  const std::vector<ModelUse>& models) override;
  void log_outputs(const std::string& run_id, const std::vector<ModelUse>& models) override;
  std::vector<DatasetSummary> dataset_summaries(const std::vector<std::string>& experiment_ids) override;

  // curves.cpp
  MetricPage metric_history_page(const std::string& run_id, const std::string& key, int max_results,
                                 const std::string& page_token) override;
  std::vector<Metric> metric_interval(const std::string& run_id, const std::string& key,
                                      std::optional<std::int64_t> first, std::optional<std::int64_t> last,
                                      int max_results) override;

  // browsing.cpp
  std::vector<Activity> activity() override;
  Curve curve(const std::string& run_id, const std::string& key, const CurveQuery& query) override;
  LatestPage latest_page(const std::string& run_id, const std::string& part, int max_results,
                         const std::string& page_token) override;
  std::string metrics_mark(const std::string& run_id) override;

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
  void delete_tag(const std::string& run_id, const std::string& key) override;
  std::vector<KeyValue> params(const std::string& run_id) override;
  std::vector<KeyValue> tags(const std::string& run_id) override;
  std::vector<Metric> latest_metrics(const std::string& run_id) override;
  std::vector<Metric> metric_history(const std::string& run_id, const std::string& key) override;

  // registered_models.cpp, model_aliases.cpp, search_registry.cpp
  RegisteredModel create_registered_model(const std::string& name, const std::string& description,
                                          const std::vector<KeyValue>& tags) override;
  RegisteredModel get_registered_model(const std::string& name) override;
  RegisteredModel rename_registered_model(const std::string& name, const std::string& new_name) override;
  RegisteredModel describe_registered_model(const std::string& name, const std::string& description) override;
  void delete_registered_model(const std::string& name) override;
  void set_registered_model_tag(const std::string& name, const KeyValue& tag) override;
  void delete_registered_model_tag(const std::string& name, const std::string& key) override;
  void set_model_alias(const std::string& name, const std::string& alias, int version) override;
  void delete_model_alias(const std::string& name, const std::string& alias) override;
  ModelVersion get_model_version_by_alias(const std::string& name, const std::string& alias) override;
  RegisteredModelPage search_registered_models(const Search& search) override;

  // model_versions.cpp, search_registry.cpp
  ModelVersion create_model_version(const NewModelVersion& version) override;
  ModelVersion get_model_version(const std::string& name, int version) override;
  ModelVersion describe_model_version(const std::string& name, int version, const std::string& description) override;
  ModelVersion move_model_version(const std::string& name, int version, const std::string& stage,
                                  bool archive_existing) override;
  void delete_model_version(const std::string& name, int version) override;
  void set_model_version_tag(const std::string& name, int version, const KeyValue& tag) override;
  void delete_model_version_tag(const std::string& name, int version, const std::string& key) override;
  ModelVersionPage search_model_versions(const Search& search) override;

  // logged_models.cpp
  LoggedModel create_logged_model(const NewLoggedModel& model) override;
  LoggedModel get_logged_model(const std::string& model_id) override;
  LoggedModel finish_logged_model(const std::string& model_id, LoggedModelStatus status) override;
  void delete_logged_model(const std::string& model_id) override;
  void set_logged_model_tags(const std::string& model_id, const std::vector<KeyValue>& tags) override;
  void delete_logged_model_tag(const std::string& model_id, const std::string& key) override;
  void log_logged_model_params(const std::string& model_id, const std::vector<KeyValue>& params) override;
  void log_model_metrics(const std::string& model_id, const std::vector<ModelMetric>& metrics) override;
  LoggedModelPage search_logged_models(const Search& search) override;

  // tokens.cpp
  void create_token(const AccessToken& token, const std::string& sha256) override;
  std::optional<AccessToken> find_token(const std::string& sha256) override;
  std::vector<AccessToken> list_tokens() override;
  void delete_token(const std::string& token_id) override;

  // imports.cpp, import_models.cpp
  std::string import_experiment(const Experiment& experiment) override;
  bool import_run(const ImportedRun& run, const NextSeries& next) override;
  bool import_registered_model(const ImportedModel& model) override;
  int newest_version(const std::string& name) override;
  bool import_logged_model(const LoggedModel& model) override;
  void sync_imports() override;

 private:
  std::int64_t number_of(const std::string& run_id);         // runs.number; not_found names the nearest id
  std::int64_t number_of_active(const std::string& run_id);  // refuses one that is archived, too
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
  void write_new_series(std::int64_t run, const NextSeries& next);

  std::unique_ptr<Database> own_database_;
  Database& database_;
};

}  // namespace lockstep::history
