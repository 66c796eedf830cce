#include <set>

#include "history/store/limits.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

// A dataset of an experiment is its name and digest: what came with them first stays.
static std::int64_t find_or_create_dataset(Database& database, std::int64_t experiment_id, const Dataset& dataset) {
  database
      .query(
          "INSERT INTO datasets (experiment_id, name, digest, source_type, source, schema, profile) "
          "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .bind(experiment_id, dataset.name, dataset.digest, dataset.source_type, dataset.source, dataset.schema,
            dataset.profile)
      .run();
  Query found = database.query("SELECT dataset FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?");
  found.bind(experiment_id, dataset.name, dataset.digest).step();
  return found.integer(0);
}

static void write_input(Database& database, std::int64_t run, std::int64_t dataset, const std::vector<KeyValue>& tags) {
  database.query("INSERT INTO dataset_inputs (run, dataset) VALUES (?, ?) ON CONFLICT DO NOTHING")
      .bind(run, dataset)
      .run();
  if (database.changed_rows() == 0) return;  // it was logged before, and keeps the tags that it has
  for (const KeyValue& tag : tags) {
    database
        .query(
            "INSERT INTO dataset_input_tags (run, dataset, key, value) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (run, dataset, key) DO UPDATE SET value = excluded.value")
        .bind(run, dataset, tag.key, tag.value)
        .run();
  }
}

static void write_model_use(Database& database, std::int64_t run, const ModelUse& use, bool is_output) {
  database.query("INSERT INTO model_uses (run, model_id, step, is_output) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .bind(run, use.model_id, is_output ? use.step : 0, is_output ? 1 : 0)
      .run();
}

void SqlStore::log_inputs(const std::string& run_id, const std::vector<DatasetInput>& datasets,
                          const std::vector<ModelUse>& models) {
  for (const DatasetInput& input : datasets) {
    if (const auto mistake = limits::mistake_in_dataset_input(input)) throw bad_input("{}", *mistake);
  }
  Transaction transaction(database_, Survives::process_death);
  const std::int64_t run = number_of_active(run_id);
  const std::int64_t experiment_id = std::stoll(get_run(run_id).experiment_id);
  for (const DatasetInput& input : datasets) {
    write_input(database_, run, find_or_create_dataset(database_, experiment_id, input.dataset), input.tags);
  }
  for (const ModelUse& model : models) write_model_use(database_, run, model, false);
  transaction.commit();
}

void SqlStore::log_outputs(const std::string& run_id, const std::vector<ModelUse>& models) {
  Transaction transaction(database_, Survives::process_death);
  const std::int64_t run = number_of_active(run_id);
  for (const ModelUse& model : models) write_model_use(database_, run, model, true);
  transaction.commit();
}

// Those of all runs, archived ones too, each with every context it was used in; as many as MLflow gives.
std::vector<DatasetSummary> SqlStore::dataset_summaries(const std::vector<std::string>& experiment_ids) {
  constexpr std::size_t most = 1000;
  std::vector<DatasetSummary> all;
  std::set<std::int64_t> numbers;
  for (const std::string& experiment_id : experiment_ids) numbers.insert(limits::experiment_number(experiment_id));
  for (const std::int64_t number : numbers) {
    Query rows = database_.query(
        "SELECT DISTINCT d.dataset, d.name, d.digest, t.value FROM datasets d JOIN dataset_inputs i USING (dataset) "
        "LEFT JOIN dataset_input_tags t ON t.run = i.run AND t.dataset = i.dataset AND t.key = 'mlflow.data.context' "
        "WHERE d.experiment_id = ? ORDER BY d.dataset, t.value");
    rows.bind(number);
    while (all.size() < most && rows.step()) {
      all.push_back({std::to_string(number), rows.text(1), rows.text(2), rows.text(3)});
    }
  }
  return all;
}

}  // namespace lockstep::history
