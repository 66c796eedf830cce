#include "history/store/migrations.hpp"

namespace lockstep::history {

const char* const migration_3_registry = R"sql(
SELECT 1;
)sql";

}  // namespace lockstep::history
