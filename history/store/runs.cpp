#include <charconv>
#include <limits>

#include "common/clock.hpp"
#include "common/nearest.hpp"
#include "history/store/lifecycle.hpp"
#include "history/store/limits.hpp"
#include "history/store/run_row.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

// Makes a field of a run and the tag that says the same alike: the field wins, a tag alone fills it.
static void make_alike(std::string& field, std::string_view key, std::vector<KeyValue>& tags) {
  std::string tagged;
  for (const KeyValue& tag : tags) {
    if (tag.key == key) tagged = tag.value;  // of two, the last counts
  }
  if (field.empty()) field = tagged;
  if (field.empty()) return;
  std::erase_if(tags, [key](const KeyValue& tag) { return tag.key == key; });
  tags.push_back({std::string(key), field});
}

void SqlStore::create_run(const NewRun& given) {
  if (const auto mistake = limits::mistake_in_run_id(given.run_id)) throw bad_input("{}", *mistake);
  NewRun run = given;
  make_alike(run.display_name, "mlflow.runName", run.tags);
  make_alike(run.user_id, "mlflow.user", run.tags);
  make_alike(run.parent_run_id, "mlflow.parentRunId", run.tags);
  Transaction transaction(database_, Survives::power_loss);
  const Experiment experiment = get_experiment(run.experiment_id);
  if (experiment.lifecycle != Lifecycle::active) throw not_active("experiment", experiment.experiment_id);
  if (!given.parent_run_id.empty()) number_of(given.parent_run_id);  // a tag may name a run that is not here
  const std::int64_t now = now_ms();
  const RunState state = run.reported_since_ms ? RunState::running : RunState::not_started;
  const std::int64_t since = run.reported_since_ms.value_or(0);
  const auto number =
      database_
          .query(
              "INSERT INTO runs (run_id, experiment_id, parent_run_id, display_name, user_id, artifact_uri, compute, "
              "state, created_ms, started_ms, reported) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
              "ON CONFLICT (run_id) DO NOTHING RETURNING number")
          .bind(run.run_id, static_cast<std::int64_t>(std::stoll(experiment.experiment_id)), run.parent_run_id,
                run.display_name, run.user_id, run.artifact_uri, run.compute, name_of(state), now, since,
                run.reported_since_ms ? 1 : 0)
          .one_number();
  if (!number) throw bad_input("a run '{}' exists already; choose another name", run.run_id);
  database_.query("INSERT INTO state_changes (run, state, timestamp_ms) VALUES (?, ?, ?)")
      .bind(*number, name_of(state), run.reported_since_ms.value_or(now))
      .run();
  write_checked_or_throw(*number, {}, run.params, run.tags);
  transaction.commit();
}

void SqlStore::run_not_found(const std::string& run_id) {
  constexpr std::size_t newest = 2000;  // a slip of the pen is looked for among these
  std::vector<std::string> known;
  Query rows = database_.query("SELECT run_id FROM runs ORDER BY number DESC");
  while (known.size() < newest && rows.step()) known.push_back(rows.text(0));
  throw not_found("no run '{}'{}", run_id, did_you_mean(run_id, known));
}

std::int64_t SqlStore::number_of(const std::string& run_id) {
  Query found = database_.query("SELECT number FROM runs WHERE run_id = ?");
  if (!found.bind(run_id).step()) run_not_found(run_id);
  return found.integer(0);
}

std::int64_t SqlStore::number_of_active(const std::string& run_id) {
  Query found = database_.query("SELECT number, archived FROM runs WHERE run_id = ?");
  if (!found.bind(run_id).step()) run_not_found(run_id);
  if (found.integer(1) != 0) throw not_active("run", run_id);
  return found.integer(0);
}

Run SqlStore::get_run(const std::string& run_id) {
  Query found = database_.query(std::string(run_columns) + "WHERE r.run_id = ?");
  if (!found.bind(run_id).step()) run_not_found(run_id);
  return run_of(found);
}

// A page token is "r" and the number of the last run that was given. Listings go from newer to older and new runs are
// the newest, so a page never changes because of them.
static std::int64_t number_below(const std::string& page_token) {
  if (page_token.empty()) return std::numeric_limits<std::int64_t>::max();
  std::int64_t number = 0;
  const char* end = page_token.data() + page_token.size();
  const auto [stop, error] = std::from_chars(page_token.data() + 1, end, number);
  if (page_token[0] != 'r' || error != std::errc() || stop != end || number < 1) {
    throw bad_input("'{}' is no page token of a list of runs", page_token);
  }
  return number;
}

// Only what the query asks for stands in the text, so that SQLite can pick the index made for it. Few runs are
// unfinished: there the plus signs keep it from preferring the index of a large experiment.
static std::string text_of(const RunQuery& query) {
  //
  const std::string_view plus = query.only_unfinished ? "+" : "";
  std::string sql = std::string(run_columns) + "WHERE r.number < ?1";
  if (!query.experiment_id.empty()) sql += fmt::format(" AND {}r.experiment_id = ?2", plus);
  if (!query.parent_run_id.empty()) sql += fmt::format(" AND {}r.parent_run_id = ?3 AND r.parent_run_id <> ''", plus);
  if (query.only_unfinished) sql += " AND r.finished = 0";
  if (query.view == View::active_only) sql += fmt::format(" AND {}r.archived = 0", plus);
  if (query.view == View::archived_only) sql += fmt::format(" AND {}r.archived = 1", plus);
  return sql + " ORDER BY r.number DESC LIMIT ?4";
}

RunPage SqlStore::list_runs(const RunQuery& query) {
  if (query.max_results < 1 || query.max_results > limits::page_length) {
    throw bad_input("max_results is {}; it must be 1 to {}", query.max_results, limits::page_length);
  }
  const std::int64_t experiment =
      query.experiment_id.empty() ? 0 : std::stoll(get_experiment(query.experiment_id).experiment_id);
  if (!query.parent_run_id.empty()) number_of(query.parent_run_id);
  Query rows = database_.query(text_of(query));
  rows.bind_at(1, number_below(query.page_token)).bind_at(4, query.max_results + 1);
  if (!query.experiment_id.empty()) rows.bind_at(2, experiment);
  if (!query.parent_run_id.empty()) rows.bind_at(3, query.parent_run_id);
  RunPage page;
  std::int64_t last = 0;
  while (rows.step()) {
    if (page.runs.size() == static_cast<std::size_t>(query.max_results)) {
      page.next_page_token = fmt::format("r{}", last);
      break;
    }
    page.runs.push_back(run_of(rows));
    last = rows.integer(run_number_column);
  }
  return page;
}

void SqlStore::set_lifecycle(const std::string& run_id, Lifecycle lifecycle) {
  const std::int64_t number = number_of(run_id);
  Transaction transaction(database_, Survives::power_loss);
  database_.query("UPDATE runs SET archived = ? WHERE number = ?")
      .bind(lifecycle == Lifecycle::archived ? 1 : 0, number)
      .run();
  transaction.commit();
}

// A client's run may go from any state to any other; once it has ended, nothing says why.
void SqlStore::update_run(const std::string& run_id, const RunUpdate& update) {
  Transaction transaction(database_, Survives::power_loss);
  const std::int64_t number = number_of_active(run_id);
  const Run run = get_run(run_id);
  if (update.display_name) {
    const KeyValue name{"mlflow.runName", *update.display_name};
    write_checked_or_throw(number, {}, {}, {&name, 1});
  }
  const RunState to = run.reported ? update.state.value_or(run.state) : run.state;
  if (to != run.state) {
    database_
        .query(
            "UPDATE runs SET finished = 0, ended_ms = 0, reason = '', exit_code = NULL, signal = NULL, "
            "first_failed_rank = NULL WHERE number = ?")
        .bind(number)
        .run();
    set_state(number, to, {});
  }
  if (run.reported && is_terminal(to) && update.ended_ms) {
    database_.query("UPDATE runs SET ended_ms = ? WHERE number = ?").bind(*update.ended_ms, number).run();
  }
  transaction.commit();
}

}  // namespace lockstep::history
