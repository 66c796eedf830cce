#include "history/store/sqlite_store.hpp"

namespace lockstep::history {

static std::vector<KeyValue> tags_of_input(Database& database, std::int64_t run, std::int64_t dataset) {
  Query rows = database.query("SELECT key, value FROM dataset_input_tags WHERE run = ? AND dataset = ? ORDER BY key");
  rows.bind(run, dataset);
  std::vector<KeyValue> tags;
  while (rows.step()) tags.push_back({rows.text(0), rows.text(1)});
  return tags;
}

static std::vector<DatasetInput> datasets_of(Database& database, std::int64_t run) {
  Query rows = database.query(
      "SELECT d.dataset, d.name, d.digest, d.source_type, d.source, d.schema, d.profile "
      "FROM dataset_inputs i JOIN datasets d USING (dataset) WHERE i.run = ? ORDER BY i.dataset");
  rows.bind(run);
  std::vector<DatasetInput> inputs;
  while (rows.step()) {
    inputs.push_back({{.name = rows.text(1),
                       .digest = rows.text(2),
                       .source_type = rows.text(3),
                       .source = rows.text(4),
                       .schema = rows.text(5),
                       .profile = rows.text(6)},
                      tags_of_input(database, run, rows.integer(0))});
  }
  return inputs;
}

static std::vector<ModelUse> models_of(Database& database, std::int64_t run, bool is_output) {
  Query rows =
      database.query("SELECT model_id, step FROM model_uses WHERE run = ? AND is_output = ? ORDER BY model_id, step");
  rows.bind(run, is_output ? 1 : 0);
  std::vector<ModelUse> models;
  while (rows.step()) models.push_back({rows.text(0), rows.integer(1)});
  return models;
}

FullRun SqliteStore::get_full_run(const std::string& run_id) {
  const std::int64_t number = number_of(run_id);
  return {.run = get_run(run_id),
          .metrics = latest_metrics(run_id),
          .params = params(run_id),
          .tags = tags(run_id),
          .datasets = datasets_of(database_, number),
          .models_in = models_of(database_, number, false),
          .models_out = models_of(database_, number, true)};
}

}  // namespace lockstep::history
