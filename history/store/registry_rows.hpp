// Rows of the registry's tables and what is read from them, for the calls that work on them.
#pragma once

#include <string>

#include "history/store/database.hpp"
#include "history/store/registry.hpp"

namespace lockstep::history::registry_rows {

// registered_models.model. Throws bad_input for what can't be a name, not_found for an unknown one.
std::int64_t number_of_model(Database& database, const std::string& name);

// The same, if the model has this version; else not_found for the version.
std::int64_t number_of_model_with(Database& database, const std::string& name, int version);

RegisteredModel registered_model(Database& database, std::int64_t model);
ModelVersion model_version(Database& database, std::int64_t model, int version);
ModelVersion listed_version(Database& database, std::int64_t model, int version);  // without its aliases

void set_updated(Database& database, std::int64_t model, std::int64_t now);
void set_model_tag(Database& database, std::int64_t model, const KeyValue& tag);
void set_version_tag(Database& database, std::int64_t model, int version, const KeyValue& tag);

}  // namespace lockstep::history::registry_rows
