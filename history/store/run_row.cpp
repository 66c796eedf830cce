#include "history/store/run_row.hpp"

namespace lockstep::history {

const char* const run_columns =
    "SELECT r.run_id, r.experiment_id, e.name, r.parent_run_id, r.display_name, r.user_id, r.artifact_uri, r.compute, "
    "r.state, r.reason, r.exit_code, r.signal, r.first_failed_rank, r.archived, r.created_ms, r.started_ms, "
    "r.ended_ms, r.epoch, r.number, r.reported FROM runs r JOIN experiments e USING (experiment_id) ";

static std::optional<int> optional_integer(const Query& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return static_cast<int>(row.integer(column));
}

Run run_of(const Query& row) {
  const auto state = state_named(row.text(8));
  if (!state) throw failure("run {} is in a state that this lockstep does not know: {}", row.text(0), row.text(8));
  return {.run_id = row.text(0),
          .experiment_id = row.text(1),
          .experiment_name = row.text(2),
          .parent_run_id = row.text(3),
          .display_name = row.text(4),
          .user_id = row.text(5),
          .artifact_uri = row.text(6),
          .compute = row.text(7),
          .state = *state,
          .outcome = {.reason = row.text(9),
                      .exit_code = optional_integer(row, 10),
                      .signal = optional_integer(row, 11),
                      .first_failed_rank = optional_integer(row, 12)},
          .lifecycle = row.integer(13) == 0 ? Lifecycle::active : Lifecycle::archived,
          .created_ms = row.integer(14),
          .started_ms = row.integer(15),
          .ended_ms = row.integer(16),
          .epoch = row.integer(17),
          .reported = row.integer(19) != 0};
}

}  // namespace lockstep::history
