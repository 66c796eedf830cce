#include <array>

#include "history/store/limits.hpp"
#include "history/store/search_page.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

namespace {
constexpr SideTable experiment_tags{"experiment_tags", "experiment_id"};

SortColumn column_named(const std::string& name) {
  static const std::array<std::pair<std::string_view, SortColumn>, 4> all{
      {{"experiment_id", {"e.experiment_id", SqlType::integer}},
       {"name", {"e.name", SqlType::text}},
       {"creation_time", {"e.created_ms", SqlType::integer}},
       {"last_update_time", {"e.updated_ms", SqlType::integer}}}};
  for (const auto& [known, column] : all) {
    if (known == name) return column;
  }
  throw bad_input("Invalid attribute key '{}' specified", name);
}

// Ids are numbers here and texts there.
Sql id_condition(const Clause& clause) {
  std::vector<std::int64_t> ids;
  if (const auto* list = std::get_if<std::vector<std::string>>(&clause.value)) {
    for (const auto& each : *list) ids.push_back(limits::experiment_number(each));
  } else {
    ids.push_back(limits::experiment_number(std::get<std::string>(clause.value)));
  }
  const bool wanted = clause.comparison == Comparison::equal || clause.comparison == Comparison::in;
  Sql all = sql(wanted ? "" : "NOT ");
  all += is_one_of("e.experiment_id", ids);
  return all;
}

Sql condition_of(const Clause& clause) {
  if (clause.field == Field::tag) return has(experiment_tags, "e.experiment_id", clause);
  if (clause.key == "experiment_id") return id_condition(clause);
  return condition(column_named(clause.key).expression, clause);
}

// MLflow's: the newest first; of those made at once the one with the lower id, but if another order was asked for, the
// one with the higher.
std::vector<SortColumn> columns_of(const Search& search) {
  if (search.order.empty()) return {{"e.created_ms", SqlType::integer, false}, {"e.experiment_id"}};
  std::vector<SortColumn> columns;
  for (const SortKey& key : search.order) {
    columns.push_back(column_named(key.key));
    columns.back().ascending = key.ascending;
    if (key.key == "experiment_id") return columns;  // unique: what comes behind it says nothing
  }
  columns.push_back({"e.experiment_id", SqlType::integer, false});
  return columns;
}

std::string experiment_view_condition(View view) {
  if (view == View::all) return "1 = 1";
  return view == View::active_only ? "e.archived = 0" : "e.archived = 1";
}

void add_tags(Database& database, Experiment& experiment) {
  Query rows = database.query("SELECT key, value FROM experiment_tags WHERE experiment_id = ? ORDER BY key");
  rows.bind(limits::experiment_number(experiment.experiment_id));
  while (rows.step()) experiment.tags.push_back({rows.text(0), rows.text(1)});
}
}  // namespace

ExperimentPage SqlStore::search_experiments(const Search& search) {
  check_page_length(search.max_results, limits::page_length);
  const std::vector<SortColumn> columns = columns_of(search);
  const std::vector<SqlValue> after = values_of_token(search, columns);
  Sql all = sql("SELECT e.experiment_id, e.name, e.artifact_location, e.archived, e.created_ms, e.updated_ms, " +
                expressions(columns) + " FROM experiments e WHERE " + experiment_view_condition(search.view));
  for (const Clause& each : search.clauses) {
    all += " AND ";
    all += condition_of(each);
  }
  if (!after.empty()) {
    all += " AND ";
    all += comes_after(columns, after);
  }
  all += sql(" ORDER BY " + order_by(columns) + " LIMIT ?", std::int64_t{search.max_results} + 1);

  const Snapshot snapshot(database_);
  ExperimentPage page;
  std::vector<SqlValue> last;
  Query rows = all.prepare(database_);
  while (rows.step()) {
    if (page.experiments.size() == static_cast<std::size_t>(search.max_results)) {
      page.next_page_token = page_token(search, last);
      break;
    }
    page.experiments.push_back({.experiment_id = std::to_string(rows.integer(0)),
                                .name = rows.text(1),
                                .artifact_location = rows.text(2),
                                .lifecycle = rows.integer(3) == 0 ? Lifecycle::active : Lifecycle::archived,
                                .created_ms = rows.integer(4),
                                .updated_ms = rows.integer(5),
                                .tags = {}});
    add_tags(database_, page.experiments.back());
    last = values_at(rows, 6, columns);
  }
  return page;
}

}  // namespace lockstep::history
