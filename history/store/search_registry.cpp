#include "history/store/registry_rows.hpp"
#include "history/store/registry_rules.hpp"
#include "history/store/sqlite_store.hpp"

namespace lockstep::history {

RegisteredModelPage SqliteStore::search_registered_models(const Search&) { throw failure("not written yet"); }
ModelVersionPage SqliteStore::search_model_versions(const Search&) { throw failure("not written yet"); }

}  // namespace lockstep::history
