#include "history/store/migrations.hpp"

namespace lockstep::history {

const char* const migration_4_logged_models = R"sql(
SELECT 1;
)sql";

}  // namespace lockstep::history
