// Calls that are not written yet. Each goes from here to the file that sqlite_store.hpp names.
#include "history/store/sqlite_store.hpp"

namespace lockstep::history {

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
