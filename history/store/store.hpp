// The run history: experiments, runs, their states, parameters, tags and metrics. The one truth about all of them.
// Keys, values and limits are MLflow's (formats of its REST API), so that a REST server needs no other schema.
//
// A Store is used by one thread of one process; several processes may have the same store open. Every call is one
// transaction. Calls throw Error: not_found for an unknown run or experiment, bad_input for what breaks a limit,
// failure for what the database says. A Store must not be carried across fork().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"
#include "history/store/browsing.hpp"
#include "history/store/datasets.hpp"
#include "history/store/imports.hpp"
#include "history/store/logged_models.hpp"
#include "history/store/registry.hpp"
#include "history/store/search.hpp"
#include "history/store/state.hpp"
#include "history/store/tokens.hpp"
#include "history/store/values.hpp"

namespace lockstep::history {

struct Experiment {
  std::string experiment_id;  // decimal; "0" is Default
  std::string name;
  std::string artifact_location;
  Lifecycle lifecycle = Lifecycle::active;
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  std::vector<KeyValue> tags;  // by key
};

// Why and how a run ended. It stands beside the state and is empty before the end.
struct Outcome {
  std::string reason;  // one sentence that a person can act on
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::optional<int> first_failed_rank;
  bool operator==(const Outcome&) const = default;
};

struct NewRun {
  std::string run_id;  // ^[a-zA-Z0-9][\w\-]{0,255}$
  std::string experiment_id;
  std::string parent_run_id;  // empty: none
  std::string display_name;
  std::string user_id;
  std::string artifact_uri;
  std::string compute;
  // A run that nobody here supervises: its client says how it stands (MLflow's runs/create). It begins as Running at
  // this time and is never closed as abandoned.
  std::optional<std::int64_t> reported_since_ms;
  std::vector<KeyValue> params;
  // mlflow.runName, mlflow.user and mlflow.parentRunId are added, and kept the same as above.
  std::vector<KeyValue> tags;
};

struct Run {
  std::string run_id;
  std::string experiment_id;
  std::string experiment_name;
  std::string parent_run_id;
  std::string display_name;
  std::string user_id;
  std::string artifact_uri;
  std::string compute;
  RunState state = RunState::not_started;
  Outcome outcome;
  Lifecycle lifecycle = Lifecycle::active;
  std::int64_t created_ms = 0;
  std::int64_t started_ms = 0;  // when it became Running; 0: not yet
  std::int64_t ended_ms = 0;
  std::int64_t epoch = 0;  // of the owner that wrote last
  bool reported = false;   // NewRun::reported_since_ms was given
};

// What a client may change of a run. Of one that has an owner only the name: its state is the owner's to say, and the
// rest is left alone without an error, so that a script works the same under `lockstep run` as by itself.
struct RunUpdate {
  std::optional<RunState> state;  // any: a client's run may be taken up again after its end
  std::optional<std::int64_t> ended_ms;
  std::optional<std::string> display_name;
};

// A run with all that is kept of it.
struct FullRun {
  Run run;
  std::vector<Metric> metrics;  // the latest of each key, by key
  std::vector<KeyValue> params;
  std::vector<KeyValue> tags;
  std::vector<DatasetInput> datasets;
  std::vector<ModelUse> models_in;
  std::vector<ModelUse> models_out;
};
struct FullRunPage {
  std::vector<FullRun> runs;
  std::string next_page_token;  // empty: that was all
};
struct ExperimentPage {
  std::vector<Experiment> experiments;
  std::string next_page_token;
};
struct MetricPage {
  std::vector<Metric> metrics;  // by step, time
  std::string next_page_token;
};

struct StateChange {
  RunState state = RunState::not_started;
  std::int64_t timestamp_ms = 0;
  std::string reason;
};

// A run as it stood in another history.
struct ImportedRun {
  FullRun run;                      // run.run.experiment_id is the id here; run.metrics are not looked at
  std::vector<StateChange> states;  // oldest first; empty: what the run's times and state tell
};

struct RunQuery {
  std::string experiment_id;  // empty: all
  std::string parent_run_id;  // empty: all
  bool only_unfinished = false;
  View view = View::active_only;
  int max_results = 1000;
  std::string page_token;  // empty: from the newest
};
struct RunPage {
  std::vector<Run> runs;        // newest first
  std::string next_page_token;  // empty: that was all
};

// What one rank's journal gave: all entries from `first_sequence` to `through_sequence` of `rank`. The next batch
// begins with journal_taken_through + 1. One that was taken before (through_sequence <= taken) does nothing; one that
// leaves a gap, or overlaps what was taken in part, is refused with failure: ask journal_taken_through again.
struct JournalBatch {
  int rank = 0;
  std::int64_t first_sequence = 0;
  std::int64_t through_sequence = -1;
  std::vector<Metric> metrics;
  std::vector<KeyValue> params;
  std::vector<KeyValue> tags;
};

// A failure because somebody with a higher epoch owns the run now: the caller must stop writing to it.
class StaleOwner : public Error {
 public:
  using Error::Error;
};

// A failure because the transition table does not allow this change; `current()` is where the run stands (often
// CancelRequested, asked for by somebody else in the meantime).
class RefusedTransition : public Error {
 public:
  RefusedTransition(RunState current, const Error& error) : Error(error), current_(current) {}
  RunState current() const { return current_; }

 private:
  RunState current_;
};

// bad_input: the name is taken.
class AlreadyExists : public Error {
 public:
  using Error::Error;
};

// Whoever uses this store may not change that: it is one that was given to a run (server/scoped_store.hpp).
class NotPermitted : public Error {
 public:
  using Error::Error;
};

class Store : public Registry, public LoggedModels, public Tokens, public Browsing, public Imports {
 public:
  // Throw NotPermitted unless whoever uses this store may change this run (empty: what is no run's), or this model.
  virtual void check_may_change_run(const std::string& run_id) = 0;
  virtual void check_may_change_model(const std::string& model_id) = 0;

  // Calls `work`, whose calls of this store become one commit, at its end. A call that throws, and is caught in
  // `work`, undoes only itself. If `work` throws, or the commit does, nothing was written. The commit survives what is
  // asked for here, or more if a call in it does.
  virtual void in_one_commit(Survives survives, const std::function<void()>& work) = 0;

  virtual Experiment create_experiment(const std::string& name, const std::string& artifact_location,
                                       const std::vector<KeyValue>& tags) = 0;  // AlreadyExists
  virtual Experiment get_experiment_by_id(const std::string& experiment_id) = 0;
  virtual Experiment get_experiment_by_name(const std::string& name) = 0;                         // exactly this name
  virtual void rename_experiment(const std::string& experiment_id, const std::string& name) = 0;  // AlreadyExists
  // Archives or restores its runs, too, as MLflow does.
  virtual void set_experiment_lifecycle(const std::string& experiment_id, Lifecycle lifecycle) = 0;
  virtual void set_experiment_tag(const std::string& experiment_id, const KeyValue& tag) = 0;
  virtual void delete_experiment_tag(const std::string& experiment_id, const std::string& key) = 0;
  virtual ExperimentPage search_experiments(const Search& search) = 0;

  virtual FullRun get_full_run(const std::string& run_id) = 0;
  virtual FullRunPage search_runs(const Search& search) = 0;
  virtual void update_run(const std::string& run_id, const RunUpdate& update) = 0;
  virtual void delete_tag(const std::string& run_id, const std::string& key) = 0;  // not_found if it has none
  virtual void log_inputs(const std::string& run_id, const std::vector<DatasetInput>& datasets,
                          const std::vector<ModelUse>& models) = 0;
  virtual void log_outputs(const std::string& run_id, const std::vector<ModelUse>& models) = 0;
  virtual std::vector<DatasetSummary> dataset_summaries(const std::vector<std::string>& experiment_ids) = 0;

  // At most `max_results` values, from where `page_token` says.
  virtual MetricPage metric_history_page(const std::string& run_id, const std::string& key, int max_results,
                                         const std::string& page_token) = 0;
  // At most `max_results` values of the steps from `first` to `last`, evenly over the values that were logged, the
  // first and the last among them; of one, the last.
  virtual std::vector<Metric> metric_interval(const std::string& run_id, const std::string& key,
                                              std::optional<std::int64_t> first, std::optional<std::int64_t> last,
                                              int max_results) = 0;

  virtual Experiment get_or_create_experiment(const std::string& name) = 0;
  virtual Experiment get_experiment(const std::string& name_or_id) = 0;
  virtual std::vector<Experiment> list_experiments(View view) = 0;

  virtual void create_run(const NewRun& run) = 0;      // bad_input if the id is taken; the state is NotStarted; durable
  virtual Run get_run(const std::string& run_id) = 0;  // not_found names the nearest known id
  virtual RunPage list_runs(const RunQuery& query) = 0;
  virtual std::vector<StateChange> state_history(const std::string& run_id) = 0;
  virtual void set_lifecycle(const std::string& run_id, Lifecycle lifecycle) = 0;

  // The owner's side. take_ownership gives epoch + 1; every later write names its epoch, and a write with an older
  // epoch than the run's is refused (StaleOwner), one that the table does not allow too (RefusedTransition). Both are
  // durable when the call returns. The outcome is kept when `to` is terminal; before that only its reason is, in the
  // state history.
  virtual std::int64_t take_ownership(const std::string& run_id) = 0;
  virtual void transition(const std::string& run_id, std::int64_t epoch, RunState to, const Outcome& outcome = {}) = 0;

  // Everyone's side. Sets CancelRequested with the reason, or Canceled for a run that its client reports; false if the
  // run has ended or was asked already.
  virtual bool request_cancel(const std::string& run_id, const std::string& reason) = 0;

  // All or nothing; bad_input for what breaks a limit, for a parameter that has another value already, and for a run
  // that is archived. Values of parameters (6000 characters) and tags (8000) that are too long are cut, as MLflow does;
  // with MLFLOW_TRUNCATE_LONG_VALUES=false they are refused.
  virtual void log_batch(const std::string& run_id, std::span<const Metric> metrics, std::span<const KeyValue> params,
                         std::span<const KeyValue> tags) = 0;
  // Never stuck: what breaks a limit, or contradicts a parameter (the first value stays), is left out and named in the
  // answer, one sentence each; everything else is taken.
  virtual std::vector<std::string> take_journal(const std::string& run_id, const JournalBatch& batch) = 0;
  virtual std::int64_t journal_taken_through(const std::string& run_id, int rank) = 0;  // -1: nothing yet

  virtual std::vector<KeyValue> params(const std::string& run_id) = 0;
  virtual std::vector<KeyValue> tags(const std::string& run_id) = 0;
  virtual std::vector<Metric> latest_metrics(const std::string& run_id) = 0;                          // one per key
  virtual std::vector<Metric> metric_history(const std::string& run_id, const std::string& key) = 0;  // by step, time
};

// Opens (and creates or migrates) the SQLite store of a workspace. A schema newer than this program is refused. Others:
// open_store.hpp.
std::unique_ptr<Store> open_sqlite_store(const fs::path& file);

}  // namespace lockstep::history
