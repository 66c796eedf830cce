// Calls that are not written yet. Each goes from here to the file that sqlite_store.hpp names.
#include "history/store/sqlite_store.hpp"

namespace lockstep::history {

Experiment SqliteStore::create_experiment(const std::string&, const std::string&, const std::vector<KeyValue>&) { throw failure("not written yet"); }
Experiment SqliteStore::get_experiment_by_id(const std::string&) { throw failure("not written yet"); }
Experiment SqliteStore::get_experiment_by_name(const std::string&) { throw failure("not written yet"); }
void SqliteStore::rename_experiment(const std::string&, const std::string&) { throw failure("not written yet"); }
void SqliteStore::set_experiment_lifecycle(const std::string&, Lifecycle) { throw failure("not written yet"); }
void SqliteStore::set_experiment_tag(const std::string&, const KeyValue&) { throw failure("not written yet"); }
void SqliteStore::delete_experiment_tag(const std::string&, const std::string&) { throw failure("not written yet"); }
FullRun SqliteStore::get_full_run(const std::string&) { throw failure("not written yet"); }
void SqliteStore::update_run(const std::string&, const RunUpdate&) { throw failure("not written yet"); }
FullRunPage SqliteStore::search_runs(const Search&) { throw failure("not written yet"); }
ExperimentPage SqliteStore::search_experiments(const Search&) { throw failure("not written yet"); }
void SqliteStore::log_inputs(const std::string&, const std::vector<DatasetInput>&, const std::vector<ModelUse>&) { throw failure("not written yet"); }
void SqliteStore::log_outputs(const std::string&, const std::vector<ModelUse>&) { throw failure("not written yet"); }
std::vector<DatasetSummary> SqliteStore::dataset_summaries(const std::vector<std::string>&) { throw failure("not written yet"); }
MetricPage SqliteStore::metric_history_page(const std::string&, const std::string&, int, const std::string&) { throw failure("not written yet"); }
std::vector<Metric> SqliteStore::metric_interval(const std::string&, const std::string&, std::optional<std::int64_t>, std::optional<std::int64_t>, int) { throw failure("not written yet"); }
void SqliteStore::delete_tag(const std::string&, const std::string&) { throw failure("not written yet"); }
RegisteredModel SqliteStore::create_registered_model(const std::string&, const std::string&, const std::vector<KeyValue>&) { throw failure("not written yet"); }
RegisteredModel SqliteStore::get_registered_model(const std::string&) { throw failure("not written yet"); }
RegisteredModel SqliteStore::rename_registered_model(const std::string&, const std::string&) { throw failure("not written yet"); }
RegisteredModel SqliteStore::describe_registered_model(const std::string&, const std::string&) { throw failure("not written yet"); }
void SqliteStore::delete_registered_model(const std::string&) { throw failure("not written yet"); }
void SqliteStore::set_registered_model_tag(const std::string&, const KeyValue&) { throw failure("not written yet"); }
void SqliteStore::delete_registered_model_tag(const std::string&, const std::string&) { throw failure("not written yet"); }
void SqliteStore::set_model_alias(const std::string&, const std::string&, int) { throw failure("not written yet"); }
void SqliteStore::delete_model_alias(const std::string&, const std::string&) { throw failure("not written yet"); }
ModelVersion SqliteStore::get_model_version_by_alias(const std::string&, const std::string&) { throw failure("not written yet"); }
RegisteredModelPage SqliteStore::search_registered_models(const Search&) { throw failure("not written yet"); }
ModelVersion SqliteStore::create_model_version(const NewModelVersion&) { throw failure("not written yet"); }
ModelVersion SqliteStore::get_model_version(const std::string&, int) { throw failure("not written yet"); }
ModelVersion SqliteStore::describe_model_version(const std::string&, int, const std::string&) { throw failure("not written yet"); }
ModelVersion SqliteStore::move_model_version(const std::string&, int, const std::string&, bool) { throw failure("not written yet"); }
void SqliteStore::delete_model_version(const std::string&, int) { throw failure("not written yet"); }
void SqliteStore::set_model_version_tag(const std::string&, int, const KeyValue&) { throw failure("not written yet"); }
void SqliteStore::delete_model_version_tag(const std::string&, int, const std::string&) { throw failure("not written yet"); }
ModelVersionPage SqliteStore::search_model_versions(const Search&) { throw failure("not written yet"); }

}  // namespace lockstep::history
