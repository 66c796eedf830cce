#include "common/clock.hpp"
#include "common/utf8.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

namespace {
struct Standing {
  std::int64_t number = 0;
  RunState state = RunState::not_started;
  std::int64_t epoch = 0;
  bool reported = false;
};

std::optional<Standing> standing_of(Database& database, const std::string& run_id) {
  Query found = database.query("SELECT number, state, epoch, reported FROM runs WHERE run_id = ?");
  if (!found.bind(run_id).step()) return std::nullopt;
  const auto state = state_named(found.text(1));
  if (!state) throw failure("run {} is in a state that this lockstep does not know: {}", run_id, found.text(1));
  return Standing{found.integer(0), *state, found.integer(2), found.integer(3) != 0};
}
}  // namespace

std::vector<StateChange> SqlStore::state_history(const std::string& run_id) {
  const std::int64_t number = number_of(run_id);
  Query rows = database_.query("SELECT state, timestamp_ms, reason FROM state_changes WHERE run = ? ORDER BY change");
  rows.bind(number);
  std::vector<StateChange> all;
  while (rows.step()) {
    const auto state = state_named(rows.text(0));
    if (!state) throw failure("run {} was in a state that this lockstep does not know: {}", run_id, rows.text(0));
    all.push_back({*state, rows.integer(1), rows.text(2)});
  }
  return all;
}

std::int64_t SqlStore::take_ownership(const std::string& run_id) {
  Transaction transaction(database_, Survives::power_loss);
  const auto standing = standing_of(database_, run_id);
  if (!standing) run_not_found(run_id);
  const std::int64_t epoch = standing->epoch + 1;
  database_.query("UPDATE runs SET epoch = ? WHERE number = ?").bind(epoch, standing->number).run();
  transaction.commit();
  return epoch;
}

void SqlStore::set_state(std::int64_t run, RunState to, const Outcome& outcome) {
  const std::int64_t now = now_ms();
  const std::string reason = replace_invalid_utf8(outcome.reason);  // it may quote a log
  database_.query("INSERT INTO state_changes (run, state, timestamp_ms, reason) VALUES (?, ?, ?, ?)")
      .bind(run, name_of(to), now, reason)
      .run();
  if (to == RunState::running) {
    database_
        .query(
            "UPDATE runs SET state = ?, started_ms = CASE WHEN started_ms = 0 THEN ? ELSE started_ms END WHERE number "
            "= ?")
        .bind(name_of(to), now, run)
        .run();
  } else if (is_terminal(to)) {
    database_
        .query(
            "UPDATE runs SET state = ?, finished = 1, ended_ms = ?, reason = ?, exit_code = ?, signal = ?, "
            "first_failed_rank = ? WHERE number = ?")
        .bind(name_of(to), now, reason, outcome.exit_code, outcome.signal, outcome.first_failed_rank, run)
        .run();
  } else {
    database_.query("UPDATE runs SET state = ? WHERE number = ?").bind(name_of(to), run).run();
  }
}

void SqlStore::transition(const std::string& run_id, std::int64_t epoch, RunState to, const Outcome& outcome) {
  Transaction transaction(database_, Survives::power_loss);
  const auto standing = standing_of(database_, run_id);
  if (!standing) run_not_found(run_id);
  if (epoch != standing->epoch) {
    throw StaleOwner(ExitCode::failed, fmt::format("run {} is owned by epoch {} now; {} from epoch {} is refused",
                                                   run_id, standing->epoch, name_of(to), epoch));
  }
  if (!may_follow(standing->state, to)) {
    throw RefusedTransition(standing->state,
                            failure("run {} is {}; {} can't follow", run_id, name_of(standing->state), name_of(to)));
  }
  set_state(standing->number, to, outcome);
  transaction.commit();
}

// A run that was asked once stays asked: nothing leads from CancelRequested back to work.
bool SqlStore::request_cancel(const std::string& run_id, const std::string& reason) {
  Transaction transaction(database_, Survives::power_loss);
  const auto standing = standing_of(database_, run_id);
  if (!standing) run_not_found(run_id);
  if (!may_follow(standing->state, RunState::cancel_requested)) return false;
  {
    Query asked = database_.query("SELECT 1 FROM state_changes WHERE run = ? AND state = ?");
    if (asked.bind(standing->number, name_of(RunState::cancel_requested)).step()) return false;
  }
  // Nobody would act on the wish for a run that only its client knows of: for us it has ended.
  const RunState to = standing->reported ? RunState::canceled : RunState::cancel_requested;
  set_state(standing->number, to, Outcome{reason, {}, {}, {}});
  transaction.commit();
  return true;
}

}  // namespace lockstep::history
