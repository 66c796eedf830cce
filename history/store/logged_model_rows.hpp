// Logged models as rows of the database: what reading one and searching for many have in common.
#pragma once

#include "history/store/database.hpp"
#include "history/store/logged_models.hpp"

namespace lockstep::history {

// A SELECT of these columns from `logged_models m` gives what logged_model_of reads.
inline constexpr std::string_view logged_model_columns =
    "m.number, m.model_id, m.experiment_id, m.name, m.artifact_uri, m.model_type, m.source_run_id, m.status, "
    "m.status_message, m.created_ms, m.updated_ms";
inline constexpr int logged_model_column_count = 11;

LoggedModel logged_model_of(Database& database, const Query& row);  // with its params, tags and metrics

int status_number(LoggedModelStatus status);  // as the column has it

}  // namespace lockstep::history
