#include "history/store/migrations.hpp"

namespace lockstep::history {

const char* const migration_2_tracking = R"sql(
SELECT 1;
)sql";

}  // namespace lockstep::history
