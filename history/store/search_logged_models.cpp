#include <algorithm>
#include "history/store/limits.hpp"
#include "history/store/logged_model_rows.hpp"
#include "history/store/search_page.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

static constexpr SideTable model_params_table{.table = "logged_model_params", .owner = "model"};
static constexpr SideTable model_tags_table{.table = "logged_model_tags", .owner = "model"};

namespace {
struct Attribute {
  std::string_view name;
  std::string_view column;  // to compare with
  SqlType type = SqlType::text;
};
}  // namespace
static constexpr Attribute attributes[] = {
    {"model_id", "m.model_id"},
    {"experiment_id", "m.experiment_id", SqlType::integer},
    {"name", "m.name"},
    {"artifact_location", "m.artifact_uri"},
    {"model_type", "m.model_type"},
    {"source_run_id", "m.source_run_id"},
    {"status", "CASE m.status WHEN 1 THEN 'PENDING' WHEN 2 THEN 'READY' ELSE 'FAILED' END"},
    {"creation_timestamp", "m.created_ms", SqlType::integer},
    {"last_updated_timestamp", "m.updated_ms", SqlType::integer},
};

static const Attribute& attribute(const std::string& name) {
  const auto* found = std::ranges::find(attributes, name, &Attribute::name);
  if (found == std::end(attributes)) throw bad_input("Logged models have no attribute '{}'.", name);
  return *found;
}

// An experiment's id is a number here and a text there.
static Sql attribute_condition(const Attribute& attribute, const Clause& clause) {
  if (attribute.name == "experiment_id") return condition("CAST(m.experiment_id AS TEXT)", clause);
  return condition(attribute.column, clause);
}

// A metric that is on one of the datasets; of a dataset without a digest, on any version of it.
static Sql on_one_of(const std::vector<KeyValue>& datasets) {
  Sql all = sql("(FALSE");
  for (const auto& [name, digest] : datasets) {
    all += sql(" OR dataset_name = ?", name);
    if (!digest.empty()) all += sql(" AND dataset_digest = ?", digest);
  }
  all += ")";
  return all;
}

// True of a model if any value of the metric is so. NaN is another than every number, and nothing else.
static Sql has_metric(const Clause& clause, const std::vector<KeyValue>& datasets) {
  Sql all = sql("EXISTS (SELECT 1 FROM logged_model_metrics WHERE model = m.number AND key = ? AND (", clause.key);
  all += condition("value", clause);
  if (clause.comparison == Comparison::not_equal) all += " OR value IS NULL";
  all += ")";
  if (!datasets.empty()) {
    all += " AND ";
    all += on_one_of(datasets);
  }
  all += ")";
  return all;
}

static Sql condition_of(const Clause& clause, const std::vector<KeyValue>& datasets) {
  switch (clause.field) {
    case Field::attribute:
      return attribute_condition(attribute(clause.key), clause);
    case Field::metric:
      return has_metric(clause, datasets);
    case Field::param:
      return has(model_params_table, "m.number", clause);
    case Field::tag:
      return has(model_tags_table, "m.number", clause);
    case Field::dataset:
      break;
  }
  throw bad_input("Logged models can't be searched for by a dataset in the filter; name it in `datasets`.");
}

static Sql conditions_of(const Search& search) {
  std::vector<std::int64_t> experiments;
  experiments.reserve(search.experiment_ids.size());
  for (const auto& each : search.experiment_ids) experiments.push_back(limits::experiment_number(each));
  Sql all = sql("m.deleted = 0 AND ");
  all += is_one_of("m.experiment_id", experiments);
  for (const Clause& clause : search.clauses) {
    all += " AND ";
    all += condition_of(clause, search.datasets);
  }
  const bool about_metrics = std::ranges::count(search.clauses, Field::metric, &Clause::field) > 0;
  if (!search.datasets.empty() && !about_metrics) {
    all += " AND EXISTS (SELECT 1 FROM logged_model_metrics WHERE model = m.number AND ";
    all += on_one_of(search.datasets);
    all += ")";
  }
  return all;
}

// The value that a model is sorted by: the one that was logged last.
static Sql latest_value(const SortKey& key) {
  Sql all = sql("(SELECT value FROM logged_model_metrics WHERE model = m.number AND key = ?", key.key);
  if (!key.dataset_name.empty()) all += sql(" AND dataset_name = ?", key.dataset_name);
  if (!key.dataset_digest.empty()) all += sql(" AND dataset_digest = ?", key.dataset_digest);
  all += " ORDER BY timestamp_ms DESC, step DESC, run_id LIMIT 1)";
  return all;
}

namespace {
// The models that match, with a column for every metric that they are sorted by; and how to sort them.
struct Selection {
  Sql models;
  std::vector<SortColumn> order;
};
}  // namespace

static Selection selection_of(const Search& search) {
  Selection all{.models = sql("SELECT m.*"), .order = {}};
  bool by_creation = false;
  bool by_id = false;
  for (const SortKey& key : search.order) {
    if (key.field == Field::metric) {
      const std::string column = fmt::format("sorted_{}", all.order.size());
      all.models += ", ";
      all.models += latest_value(key);
      all.models += " AS " + column;
      add_sort(all.order, "CASE WHEN " + column + " IS NULL THEN 1 ELSE 0 END", column, SqlType::real, key.ascending);
    } else if (key.field == Field::attribute) {
      const Attribute& by = attribute(key.key);
      const std::string column = key.key == "status" ? "m.status" : std::string(by.column);
      all.order.push_back({column, key.key == "status" ? SqlType::integer : by.type, key.ascending});
      by_creation = by_creation || key.key == "creation_timestamp";
      by_id = by_id || key.key == "model_id";
    } else {
      throw bad_input("Logged models can be sorted by attributes and metrics only.");
    }
  }
  if (!by_creation) all.order.push_back({"m.created_ms", SqlType::integer, false});
  if (!by_id) all.order.push_back({"m.model_id", SqlType::text});
  all.models += " FROM logged_models m WHERE ";
  all.models += conditions_of(search);
  return all;
}

LoggedModelPage SqlStore::search_logged_models(const Search& search) {
  check_page_length(search.max_results, limits::page_length);
  if (search.experiment_ids.empty()) return {};
  const Selection selection = selection_of(search);
  const std::vector<SqlValue> after = values_of_token(search, selection.order);
  Sql all = sql(fmt::format("SELECT {}, {} FROM (", logged_model_columns, expressions(selection.order)));
  all += selection.models;
  all += ") m";
  if (!after.empty()) {
    all += " WHERE ";
    all += comes_after(selection.order, after);
  }
  all += sql(" ORDER BY " + order_by(selection.order) + " LIMIT ?", std::int64_t{search.max_results} + 1);

  const Snapshot snapshot(database_);
  LoggedModelPage page;
  std::vector<SqlValue> last;
  Query rows = all.prepare(database_);
  while (rows.step()) {
    if (page.models.size() == static_cast<std::size_t>(search.max_results)) {
      page.next_page_token = page_token(search, last);
      break;
    }
    page.models.push_back(logged_model_of(database_, rows));
    last = values_at(rows, logged_model_column_count, selection.order);
  }
  return page;
}

}  // namespace lockstep::history
