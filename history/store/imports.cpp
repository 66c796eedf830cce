#include "history/store/imports.hpp"

#include <algorithm>
#include <unordered_map>

#include "common/clock.hpp"
#include "history/store/limits.hpp"
#include "history/store/metric_rows.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

// The number that an experiment keeps: its id, if that is one and nobody has it here.
static std::optional<std::int64_t> free_number(Database& database, const std::string& experiment_id) {
  constexpr std::size_t most_digits = 18;  // what get_experiment() takes for an id
  const bool decimal = !experiment_id.empty() && experiment_id.size() <= most_digits &&
                       experiment_id.find_first_not_of("0123456789") == std::string::npos;
  if (!decimal) return std::nullopt;
  const std::int64_t number = std::stoll(experiment_id);
  if (database.query("SELECT 1 FROM experiments WHERE experiment_id = ?").bind(number).step()) return std::nullopt;
  return number;
}

static std::int64_t insert_experiment(Database& database, const Experiment& experiment) {
  const auto number = free_number(database, experiment.experiment_id);
  const std::int64_t created_ms = experiment.created_ms != 0 ? experiment.created_ms : now_ms();
  Query row = database.query(
      number ? "INSERT INTO experiments (name, artifact_location, archived, created_ms, updated_ms, experiment_id) "
               "VALUES (?, ?, ?, ?, ?, ?) RETURNING experiment_id"
             : "INSERT INTO experiments (name, artifact_location, archived, created_ms, updated_ms) "
               "VALUES (?, ?, ?, ?, ?) RETURNING experiment_id");
  row.bind(experiment.name, experiment.artifact_location, experiment.lifecycle == Lifecycle::archived ? 1 : 0,
           created_ms, std::max(created_ms, experiment.updated_ms));
  if (number) row.bind_at(6, *number);
  return row.number();
}

static std::int64_t find_or_insert_experiment(Database& database, const Experiment& experiment) {
  Query found = database.query("SELECT experiment_id FROM experiments WHERE name = ?");
  return found.bind(experiment.name).step() ? found.integer(0) : insert_experiment(database, experiment);
}

std::string SqlStore::import_experiment(const Experiment& experiment) {
  if (const auto mistake = limits::mistake_in_experiment_name(experiment.name)) throw bad_input("{}", *mistake);
  Transaction transaction(database_, Survives::process_death);
  const std::int64_t id = find_or_insert_experiment(database_, experiment);
  for (const KeyValue& tag : experiment.tags) {
    const auto [value, mistake] = limits::check_experiment_tag(tag);
    if (mistake) throw bad_input("{}", *mistake);
    database_
        .query(
            "INSERT INTO experiment_tags (experiment_id, key, value) VALUES (?, ?, ?) "
            "ON CONFLICT (experiment_id, key) DO NOTHING")
        .bind(id, tag.key, value)
        .run();
  }
  transaction.commit();
  return std::to_string(id);
}

static std::int64_t created_ms(const Run& run) { return run.created_ms != 0 ? run.created_ms : run.started_ms; }

// The state history of a run of which only its times are known.
static std::vector<StateChange> states_told_by(const Run& run) {
  std::vector<StateChange> states;
  if (!run.reported) states.push_back({RunState::not_started, created_ms(run), {}});
  const bool ran = run.started_ms != 0 && run.state != RunState::not_started;
  if (ran || run.reported) states.push_back({RunState::running, ran ? run.started_ms : created_ms(run), {}});
  if (states.back().state == run.state) return states;
  const std::int64_t since = std::max(states.back().timestamp_ms, run.ended_ms);
  states.push_back({run.state, since, run.outcome.reason});
  return states;
}

// The number of the new row; nullopt: a run of that id is here.
static std::optional<std::int64_t> insert_run(Database& database, const Run& run) {
  Query row = database.query(
      "INSERT INTO runs (run_id, experiment_id, parent_run_id, display_name, user_id, artifact_uri, compute, state, "
      "finished, epoch, created_ms, started_ms, ended_ms, reason, exit_code, signal, first_failed_rank, reported) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id) DO NOTHING RETURNING number");
  row.bind(run.run_id, limits::experiment_number(run.experiment_id), run.parent_run_id, run.display_name, run.user_id,
           run.artifact_uri, run.compute, name_of(run.state), is_terminal(run.state) ? 1 : 0, run.epoch,
           created_ms(run), run.started_ms, run.ended_ms, run.outcome.reason, run.outcome.exit_code, run.outcome.signal,
           run.outcome.first_failed_rank, run.reported ? 1 : 0);
  return row.one_number();
}

static void check_points(const std::string& key, const std::vector<Metric>& points) {
  if (const auto mistake = limits::mistake_in_metric({key, 0, 0, 0})) throw bad_input("{}", *mistake);
  for (const Metric& point : points) {
    if (point.timestamp_ms < 0) throw bad_input("metric '{}': timestamp {} is before 1970", key, point.timestamp_ms);
  }
}

// Of a run that has none yet.
void SqlStore::write_new_series(std::int64_t run, const NextSeries& next) {
  MetricRows& rows = database_.metric_rows();
  std::unordered_map<std::string, SeriesRow> all;
  std::vector<MetricRow> added;
  std::string key;
  std::vector<Metric> points;
  while (next(key, points)) {
    if (points.empty()) continue;
    check_points(key, points);
    auto found = all.find(key);
    if (found == all.end()) {
      points.front().key = key;
      const Metric* const first = &points.front();
      found = all.emplace(key, rows.find_or_create(run, {&first, 1}).front()).first;
    }
    added.clear();
    for (const Metric& point : points) {
      found->second.add(point);
      added.push_back({found->second.series, &point});
    }
    rows.append(added);
  }
  std::vector<SeriesRow> series;
  series.reserve(all.size());
  for (const auto& [name, each] : all) series.push_back(each);
  if (!series.empty()) rows.update(series);
}

// It is archived last: what is archived takes in nothing.
bool SqlStore::import_run(const ImportedRun& given, const NextSeries& next) {
  const Run& run = given.run.run;
  if (const auto mistake = limits::mistake_in_run_id(run.run_id)) throw bad_input("{}", *mistake);
  Transaction transaction(database_, Survives::process_death);
  const auto number = insert_run(database_, run);
  if (!number) return false;
  for (const StateChange& each : given.states.empty() ? states_told_by(run) : given.states) {
    database_.query("INSERT INTO state_changes (run, state, timestamp_ms, reason) VALUES (?, ?, ?, ?)")
        .bind(*number, name_of(each.state), each.timestamp_ms, each.reason)
        .run();
  }
  write_checked_or_throw(*number, {}, given.run.params, given.run.tags);
  if (!given.run.datasets.empty() || !given.run.models_in.empty()) {
    log_inputs(run.run_id, given.run.datasets, given.run.models_in);
  }
  if (!given.run.models_out.empty()) log_outputs(run.run_id, given.run.models_out);
  write_new_series(*number, next);
  if (run.lifecycle == Lifecycle::archived) {
    database_.query("UPDATE runs SET archived = 1 WHERE number = ?").bind(*number).run();
  }
  transaction.commit();
  return true;
}

// A part that asks for more than the whole makes the whole log be synced.
void SqlStore::sync_imports() {
  Transaction whole(database_, Survives::process_death);
  Transaction(database_, Survives::power_loss).commit();
  whole.commit();
  database_.learn_sizes();
}

}  // namespace lockstep::history
