// The steps from one version of the SQLite schema to the next, in order (schema.cpp runs them).
#pragma once

namespace lockstep::history {

extern const char* const migration_1_runs;           // schema.cpp
extern const char* const migration_2_tracking;       // migration_tracking.cpp
extern const char* const migration_3_registry;       // migration_registry.cpp
extern const char* const migration_4_logged_models;  // migration_logged_models.cpp
extern const char* const migration_5_tokens;         // migration_tokens.cpp
extern const char* const migration_6_curves;         // migration_curves.cpp

}  // namespace lockstep::history
