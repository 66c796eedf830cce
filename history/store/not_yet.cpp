// Calls that are not written yet. Each goes from here to the file that sqlite_store.hpp names.
#include "history/store/sqlite_store.hpp"

namespace lockstep::history {

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
LoggedModel SqliteStore::create_logged_model(const NewLoggedModel&) { throw failure("not written yet"); }
LoggedModel SqliteStore::get_logged_model(const std::string&) { throw failure("not written yet"); }
LoggedModel SqliteStore::finish_logged_model(const std::string&, LoggedModelStatus) { throw failure("not written yet"); }
void SqliteStore::delete_logged_model(const std::string&) { throw failure("not written yet"); }
void SqliteStore::set_logged_model_tags(const std::string&, const std::vector<KeyValue>&) { throw failure("not written yet"); }
void SqliteStore::delete_logged_model_tag(const std::string&, const std::string&) { throw failure("not written yet"); }
void SqliteStore::log_logged_model_params(const std::string&, const std::vector<KeyValue>&) { throw failure("not written yet"); }
void SqliteStore::log_model_metrics(const std::string&, const std::vector<ModelMetric>&) { throw failure("not written yet"); }
LoggedModelPage SqliteStore::search_logged_models(const Search&) { throw failure("not written yet"); }

}  // namespace lockstep::history
