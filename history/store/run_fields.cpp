#include "history/store/run_fields.hpp"

#include <array>

#include "common/error.hpp"
#include "history/store/state.hpp"

namespace lockstep::history {

namespace {
constexpr SideTable latest_metrics_table{"series", "run", "INDEXED BY series_by_key", true};
constexpr SideTable params_table{"params", "run"};
constexpr SideTable tags_table{"tags", "run"};

}  // namespace

const SideTable& run_values(Field field) {
  if (field == Field::metric) return latest_metrics_table;
  return field == Field::param ? params_table : tags_table;
}

// MLflow's word for r.state.
static std::string status_expression() {
  std::string all = "CASE r.state";
  for (int i = 0; i <= static_cast<int>(RunState::canceled); ++i) {
    const auto state = static_cast<RunState>(i);
    all += fmt::format(" WHEN '{}' THEN '{}'", name_of(state), mlflow_status(state));
  }
  return all + " END";
}

const RunAttribute& run_attribute(const std::string& name) {
  static const std::array<RunAttribute, 7> all{{{"run_id", "r.run_id"},
                                                {"run_name", "r.display_name"},
                                                {"user_id", "r.user_id"},
                                                {"artifact_uri", "r.artifact_uri"},
                                                {"status", status_expression()},
                                                {"start_time", "r.start_ms", SqlType::integer},
                                                {"end_time", "nullif(r.ended_ms, 0)", SqlType::integer}}};
  for (const RunAttribute& each : all) {
    if (each.name == name) return each;
  }
  throw bad_input("Invalid attribute key '{}' specified", name);
}

static Sql dataset_condition(const Clause& clause) {
  const bool is_context = clause.key == "context";
  Sql all = sql(is_context ? "EXISTS (SELECT 1 FROM dataset_input_tags i WHERE i.key = 'mlflow.data.context' AND "
                           : "EXISTS (SELECT 1 FROM dataset_inputs i JOIN datasets d USING (dataset) WHERE ");
  if (!is_context && clause.key != "name" && clause.key != "digest") {
    throw bad_input("Invalid dataset key '{}' specified", clause.key);
  }
  all += "i.run = r.number AND ";
  all += condition(is_context ? "i.value" : "d." + clause.key, clause);
  all += ")";
  return all;
}

Sql run_condition(const Clause& clause) {
  if (clause.field == Field::attribute) return condition(run_attribute(clause.key).expression, clause);
  if (clause.field == Field::dataset) return dataset_condition(clause);
  return has(run_values(clause.field), "r.number", clause);
}

}  // namespace lockstep::history
