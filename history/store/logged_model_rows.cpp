#include "history/store/logged_model_rows.hpp"
#include "history/store/series.hpp"

namespace lockstep::history {

int status_number(LoggedModelStatus status) { return static_cast<int>(status) + 1; }

static std::vector<KeyValue> pairs(Database& database, std::string_view sql, std::int64_t model) {
  Query rows = database.query(sql);
  rows.bind(model);
  std::vector<KeyValue> all;
  while (rows.step()) all.push_back({rows.text(0), rows.text(1)});
  return all;
}

static std::vector<ModelMetric> metrics_of(Database& database, std::int64_t model) {
  Query rows = database.query(
      "SELECT key, value, timestamp_ms, step, run_id, dataset_name, dataset_digest FROM logged_model_metrics "
      "WHERE model = ? ORDER BY rowid");
  rows.bind(model);
  std::vector<ModelMetric> all;
  while (rows.step()) {
    const double value = number_or_nan(rows, 1);
    all.push_back({.metric = {rows.text(0), value, rows.integer(2), rows.integer(3)},
                   .run_id = rows.text(4),
                   .dataset_name = rows.text(5),
                   .dataset_digest = rows.text(6)});
  }
  return all;
}

LoggedModel logged_model_of(Database& database, const Query& row) {
  const std::int64_t model = row.integer(0);
  return {.model_id = row.text(1),
          .experiment_id = row.text(2),
          .name = row.text(3),
          .artifact_uri = row.text(4),
          .model_type = row.text(5),
          .source_run_id = row.text(6),
          .status = static_cast<LoggedModelStatus>(row.integer(7) - 1),
          .status_message = row.text(8),
          .created_ms = row.integer(9),
          .updated_ms = row.integer(10),
          .params = pairs(database, "SELECT key, value FROM logged_model_params WHERE model = ? ORDER BY key", model),
          .tags = pairs(database, "SELECT key, value FROM logged_model_tags WHERE model = ? ORDER BY key", model),
          .metrics = metrics_of(database, model)};
}

}  // namespace lockstep::history
