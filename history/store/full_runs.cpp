#include "history/store/full_runs.hpp"

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "history/store/run_row.hpp"
#include "history/store/series.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

namespace {
// The page, and where each run stands in it. Every query below is about all of them at once: their numbers are bound
// as one list.
class Page {
 public:
  Page(Database& database, std::span<const std::int64_t> numbers)
      : database_(database), list_(nlohmann::json(numbers).dump()), runs_(numbers.size()) {
    for (std::size_t i = 0; i < numbers.size(); ++i) place_.emplace(numbers[i], i);
  }

  void load() {
    each_row(std::string(run_columns) + "WHERE r.number IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
             run_number_column, [](FullRun& run, const Query& row) { run.run = run_of(row); });
    load_values();
    load_datasets();
    load_model_uses();
  }
  std::vector<FullRun> take() { return std::move(runs_); }

 private:
  template <class Add>
  void each_row(std::string_view sql, int number_column, const Add& add) {
    Query rows = database_.query(sql);
    rows.bind(list_);
    while (rows.step()) add(runs_[place_.at(rows.integer(number_column))], rows);
  }

  void load_values() {
    each_row(
        "SELECT run, key, value, timestamp_ms, step FROM series WHERE run IN (SELECT CAST(value AS BIGINT) FROM "
        "json_each(?)) "
        "ORDER BY run, key",
        0, [](FullRun& run, const Query& row) {
          const double value = number_or_nan(row, 2);
          run.metrics.push_back({row.text(1), value, row.integer(3), row.integer(4)});
        });
    each_row(
        "SELECT run, key, value FROM params WHERE run IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) ORDER BY "
        "run, key",
        0, [](FullRun& run, const Query& row) {
          run.params.push_back({row.text(1), row.text(2)});
        });
    each_row(
        "SELECT run, key, value FROM tags WHERE run IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) ORDER BY run, "
        "key",
        0, [](FullRun& run, const Query& row) {
          run.tags.push_back({row.text(1), row.text(2)});
        });
  }

  // The tags of an input come after it, because a row without a tag is an input.
  void load_datasets() {
    each_row(
        "SELECT i.run, d.name, d.digest, d.source_type, d.source, d.schema, d.profile, t.key, t.value, "
        "row_number() OVER (PARTITION BY i.run, i.dataset ORDER BY t.key) "
        "FROM dataset_inputs i JOIN datasets d USING (dataset) "
        "LEFT JOIN dataset_input_tags t ON t.run = i.run AND t.dataset = i.dataset "
        "WHERE i.run IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) ORDER BY i.run, i.dataset, t.key",
        0, [](FullRun& run, const Query& row) {
          if (row.integer(9) == 1) {
            run.datasets.push_back(
                {{row.text(1), row.text(2), row.text(3), row.text(4), row.text(5), row.text(6)}, {}});
          }
          if (!row.is_null(7)) run.datasets.back().tags.push_back({row.text(7), row.text(8)});
        });
  }

  void load_model_uses() {
    each_row(
        "SELECT run, model_id, step, is_output FROM model_uses WHERE run IN (SELECT CAST(value AS BIGINT) FROM "
        "json_each(?)) "
        "ORDER BY run, is_output, model_id, step",
        0, [](FullRun& run, const Query& row) {
          auto& uses = row.integer(3) == 0 ? run.models_in : run.models_out;
          uses.push_back({row.text(1), row.integer(2)});
        });
  }

  Database& database_;
  std::string list_;
  std::vector<FullRun> runs_;
  std::unordered_map<std::int64_t, std::size_t> place_;
};
}  // namespace

std::vector<FullRun> load_full_runs(Database& database, std::span<const std::int64_t> numbers) {
  Page page(database, numbers);
  page.load();
  return page.take();
}

FullRun SqlStore::get_full_run(const std::string& run_id) {
  const Snapshot snapshot(database_);
  const std::int64_t number = number_of(run_id);
  return std::move(load_full_runs(database_, {&number, 1}).front());
}

}  // namespace lockstep::history
