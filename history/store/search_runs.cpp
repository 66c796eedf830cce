// MLflow's runs/search. A search of an experiment with many runs is answered in the cheapest of three ways:
//   - list what one of the clauses is true for, from an index, and look at these only: at once if that is for few;
//   - in the order of start, which is an index, look at the newest few thousand: often they fill the page;
//   - else the first, for however many the clause is true; without such a clause look at every run.
#include "history/store/full_runs.hpp"
#include "history/store/limits.hpp"
#include "history/store/run_fields.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

namespace {
std::vector<std::int64_t> experiments_of(const Search& search) {
  std::vector<std::int64_t> ids;
  for (const std::string& each : search.experiment_ids) ids.push_back(limits::experiment_number(each));
  return ids;
}

Sql run_view_condition(View view) {
  if (view == View::all) return {};
  return sql(view == View::active_only ? " AND r.archived = 0" : " AND r.archived = 1");
}

class RunSearch {
 public:
  RunSearch(Database& database, const Search& search)
      : database_(database), search_(search), experiments_(experiments_of(search)) {
    sort();
    after_ = values_of_token(search, columns_);
  }

  FullRunPage page() {
    find();
    FullRunPage page;
    if (numbers_.size() > wanted()) {
      numbers_.pop_back();
      page.next_page_token = page_token(search_, last_values_);
    }
    page.runs = load_full_runs(database_, numbers_);
    return page;
  }

 private:
  std::size_t wanted() const { return static_cast<std::size_t>(search_.max_results); }
  // So many runs are looked at without a thought about it.
  std::int64_t few() const { return 5000 + 5 * std::int64_t{search_.max_results}; }

  void find() {
    const Sql all_runs = sql("runs r");
    const auto [rare, owners_of_rare] = clause_to_list(few());
    if (owners_of_rare && !has_fewer_runs_than(*owners_of_rare)) return select_owners(*rare);
    if (has_fewer_runs_than(few())) return select(all_runs, sql("1 = 1"), Checked::nothing);
    constexpr std::int64_t many = 50'000;  // counted in some 3 ms
    const auto [rarest, owners_of_it] = clause_to_list(many);
    if (in_order_of_start() && few_may_fill_the_page(owners_of_it)) {
      const auto bound = start_of_the_last_of_few();
      select(runs_by_start(), bound ? sql("r.start_ms >= ?", *bound) : sql("1 = 1"), Checked::nothing);
      if (!bound || numbers_.size() > wanted()) return;
    }
    if (rarest == nullptr) return select(all_runs, sql("1 = 1"), Checked::nothing);
    select_owners(*rarest);
  }

  void select_owners(const Clause& rarest) {
    Sql listed = sql("(");
    listed += listed_runs(rarest);
    listed += ") c CROSS JOIN runs r";  // in this order, says SQLite's CROSS
    select(listed, sql("r.number = c.run"), Checked::values);
  }

  // What all clauses about values are true for, from their indices: the runs themselves are looked at when few are
  // left.
  Sql listed_runs(const Clause& rarest) {
    const SideTable& table = run_values(rarest.field);
    const std::string owner = fmt::format("{}.{}", owners_table, table.owner);
    Sql all = owners(table, rarest);
    for (const Clause& each : search_.clauses) {
      if (&each == &rarest || !is_about_a_value(each)) continue;
      all += " AND ";
      all += has(run_values(each.field), owner, each);
    }
    return all;
  }
  static bool is_about_a_value(const Clause& clause) {
    return clause.field == Field::metric || clause.field == Field::param || clause.field == Field::tag;
  }

  // If they were like all others. Twice as many as a page, since other clauses leave some of them out.
  bool few_may_fill_the_page(std::optional<std::int64_t> owners_of_a_clause) {
    if (!owners_of_a_clause) return true;
    const std::int64_t all = database_.number("SELECT max(number) FROM runs");
    return few() * *owners_of_a_clause >= 2 * std::int64_t{search_.max_results} * all;
  }

  bool has_fewer_runs_than(std::int64_t number) {
    Sql count = sql("SELECT count(*) FROM (SELECT 1 FROM runs WHERE ");
    count += is_one_of("experiment_id", experiments_);
    count += sql(" LIMIT ?) AS found", number);
    Query row = count.prepare(database_);
    return row.step() && row.integer(0) < number;
  }

  bool in_order_of_start() const { return columns_.size() == 2 && !columns_[0].ascending; }
  Sql runs_by_start() const {
    return sql(experiments_.size() == 1 ? "runs r INDEXED BY runs_by_experiment_and_start"
                                        : "runs r INDEXED BY runs_by_start");
  }

  // If there are more than few behind the page before.
  std::optional<std::int64_t> start_of_the_last_of_few() {
    Sql all = sql("SELECT r.start_ms FROM ");
    all += runs_by_start();
    all += " WHERE ";
    all += is_one_of("r.experiment_id", experiments_);
    if (!after_.empty()) {
      all += " AND ";
      all += comes_after(columns_, after_);
    }
    all += sql(" ORDER BY r.start_ms DESC, r.run_id LIMIT 1 OFFSET ?", few());
    Query row = all.prepare(database_);
    if (!row.step()) return std::nullopt;
    return row.integer(0);
  }

  struct Listed {
    const Clause* clause = nullptr;      // null: no index lists what any of them is true for
    std::optional<std::int64_t> owners;  // how many runs it is true for, of all experiments, if that was counted
  };
  // The parameter or tag whose value the fewest runs have, of those that fewer than `many` have; or else whatever one
  // index can list.
  Listed clause_to_list(std::int64_t many) {
    std::int64_t least = many;
    const Clause* best = nullptr;
    for (const Clause& each : search_.clauses) {
      if ((each.field != Field::param && each.field != Field::tag) || each.comparison != Comparison::equal) continue;
      Sql count = sql("SELECT count(*) FROM (");
      count += owners(run_values(each.field), each);
      count += sql(" LIMIT ?) AS found", many);
      Query row = count.prepare(database_);
      row.step();
      if (row.integer(0) < least) {
        least = row.integer(0);
        best = &each;
      }
    }
    if (best != nullptr) return {best, least};
    for (const Field field : {Field::metric, Field::param, Field::tag}) {
      for (const Clause& each : search_.clauses) {
        if (each.field == field && each.comparison != Comparison::is_null) return {&each, std::nullopt};
      }
    }
    return {};
  }

  // The columns by which the runs are sorted, and the joins that these need.
  void sort() {
    bool by_start = false;
    for (std::size_t i = 0; i < search_.order.size(); ++i) {
      const SortKey& key = search_.order[i];
      if (key.field == Field::attribute) {
        by_start = by_start || key.key == "start_time";
        sort_by_attribute(key);
      } else {
        sort_by_value(key, fmt::format("s{}", i));
      }
    }
    if (!by_start) columns_.push_back({"r.start_ms", SqlType::integer, false});
    columns_.push_back({"r.run_id", SqlType::text, true});
  }

  void sort_by_attribute(const SortKey& key) {
    const auto& [name, expression, type] = run_attribute(key.key);
    if (name == "end_time") {
      add_sort(columns_, "CASE WHEN r.ended_ms = 0 THEN 1 ELSE 0 END", expression, type, key.ascending);
    } else {
      columns_.push_back({expression, type, key.ascending});
    }
  }

  // A metric that is NaN comes before none at all.
  void sort_by_value(const SortKey& key, const std::string& alias) {
    if (key.field == Field::dataset) throw bad_input("Invalid identifier type 'dataset'");
    const SideTable& table = run_values(key.field);
    joins_ += sql(
        fmt::format(" LEFT JOIN {0} {1} {2} ON {1}.run = r.number AND {1}.key = ?", table.table, alias, table.index),
        key.key);
    const bool is_metric = key.field == Field::metric;
    const std::string rank =
        is_metric ? fmt::format("CASE WHEN {0}.run IS NULL THEN 2 WHEN {0}.value IS NULL THEN 1 ELSE 0 END", alias)
                  : fmt::format("CASE WHEN {}.run IS NULL THEN 1 ELSE 0 END", alias);
    add_sort(columns_, rank, alias + ".value", is_metric ? SqlType::real : SqlType::text, key.ascending);
  }

  // What is true already for all that `from` has.
  enum class Checked { nothing, values };
  void select(const Sql& from, const Sql& where, Checked checked) {
    Sql all = sql("SELECT r.number, " + expressions(columns_) + " FROM ");
    all += from;
    all += joins_;
    all += " WHERE ";
    all += where;
    all += " AND ";
    all += is_one_of("r.experiment_id", experiments_);
    all += run_view_condition(search_.view);
    for (const Clause& each : search_.clauses) {
      if (checked == Checked::values && is_about_a_value(each)) continue;
      all += " AND ";
      all += run_condition(each);
    }
    if (!after_.empty()) {
      all += " AND ";
      all += comes_after(columns_, after_);
    }
    all += sql(" ORDER BY " + order_by(columns_) + " LIMIT ?", std::int64_t{search_.max_results} + 1);
    read(all.prepare(database_));
  }

  void read(Query rows) {
    numbers_.clear();
    while (rows.step()) {
      numbers_.push_back(rows.integer(0));
      if (numbers_.size() == wanted()) last_values_ = values_at(rows, 1, columns_);
    }
  }

  Database& database_;
  const Search& search_;
  std::vector<std::int64_t> experiments_;
  std::vector<SortColumn> columns_;
  Sql joins_;
  std::vector<SqlValue> after_;        // what this page comes after; empty: it is the first
  std::vector<std::int64_t> numbers_;  // of the runs found, one more than wanted if there is another page
  std::vector<SqlValue> last_values_;  // of the last run of the page
};
}  // namespace

FullRunPage SqlStore::search_runs(const Search& search) {
  check_page_length(search.max_results, limits::page_length);
  const Snapshot snapshot(database_);
  return RunSearch(database_, search).page();
}

}  // namespace lockstep::history
