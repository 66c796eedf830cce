#include "tests/unit/store/search_by_hand.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace lockstep::history {

void insert_run(Database& database, const FullRun& full) {
  const Run& run = full.run;
  const std::int64_t number =
      database
          .query(
              "INSERT INTO runs (run_id, experiment_id, display_name, user_id, artifact_uri, state, finished, "
              "archived, "
              "created_ms, started_ms, ended_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number")
          .bind(run.run_id, static_cast<std::int64_t>(std::stoll(run.experiment_id)), run.display_name, run.user_id,
                run.artifact_uri, name_of(run.state), is_terminal(run.state) ? 1 : 0,
                run.lifecycle == Lifecycle::archived ? 1 : 0, run.created_ms, run.started_ms, run.ended_ms)
          .number();
  for (const Metric& each : full.metrics) {
    database.query("INSERT INTO series (run, key, step, timestamp_ms, value) VALUES (?, ?, ?, ?, ?)")
        .bind(number, each.key, each.step, each.timestamp_ms, each.value)
        .run();
  }
  for (const KeyValue& each : full.params) {
    database.query("INSERT INTO params (run, key, value) VALUES (?, ?, ?)").bind(number, each.key, each.value).run();
  }
  for (const KeyValue& each : full.tags) {
    database.query("INSERT INTO tags (run, key, value) VALUES (?, ?, ?)").bind(number, each.key, each.value).run();
  }
  for (const DatasetInput& each : full.datasets) {
    database
        .query(
            "INSERT INTO datasets (experiment_id, name, digest, source_type, source) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING")
        .bind(static_cast<std::int64_t>(std::stoll(run.experiment_id)), each.dataset.name, each.dataset.digest,
              each.dataset.source_type, each.dataset.source)
        .run();
    Query found = database.query("SELECT dataset FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?");
    found.bind(static_cast<std::int64_t>(std::stoll(run.experiment_id)), each.dataset.name, each.dataset.digest).step();
    const std::int64_t dataset = found.integer(0);
    database.query("INSERT INTO dataset_inputs (run, dataset) VALUES (?, ?)").bind(number, dataset).run();
    for (const KeyValue& tag : each.tags) {
      database.query("INSERT INTO dataset_input_tags (run, dataset, key, value) VALUES (?, ?, ?, ?)")
          .bind(number, dataset, tag.key, tag.value)
          .run();
    }
  }
  for (const int is_output : {0, 1}) {
    for (const ModelUse& each : is_output == 0 ? full.models_in : full.models_out) {
      database.query("INSERT INTO model_uses (run, model_id, step, is_output) VALUES (?, ?, ?, ?)")
          .bind(number, each.model_id, each.step, is_output)
          .run();
    }
  }
}

// matches[j]: the text so far fits the first j characters of the pattern.
bool is_like(std::string_view text, std::string_view pattern, bool case_matters) {
  const auto lower = [&](char c) {
    return case_matters ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  };
  std::vector<bool> matches(pattern.size() + 1);
  matches[0] = true;
  for (std::size_t j = 0; j < pattern.size(); ++j) matches[j + 1] = matches[j] && pattern[j] == '%';
  for (const char c : text) {
    std::vector<bool> next(pattern.size() + 1);
    for (std::size_t j = 0; j < pattern.size(); ++j) {
      next[j + 1] = pattern[j] == '%' ? next[j] || matches[j + 1]
                                      : matches[j] && (pattern[j] == '_' || lower(pattern[j]) == lower(c));
    }
    matches = next;
  }
  return matches[pattern.size()];
}

namespace {
std::int64_t start_of(const Run& run) { return run.started_ms == 0 ? run.created_ms : run.started_ms; }

template <class Value>
bool compares(const Value& left, Comparison comparison, const Value& right) {
  switch (comparison) {
    case Comparison::equal:
      return left == right;
    case Comparison::not_equal:
      return left != right;
    case Comparison::less:
      return left < right;
    case Comparison::less_or_equal:
      return left <= right;
    case Comparison::greater:
      return left > right;
    case Comparison::greater_or_equal:
      return left >= right;
    default:
      return false;
  }
}

bool text_fits(const std::string& text, const Clause& clause) {
  if (clause.comparison == Comparison::in || clause.comparison == Comparison::not_in) {
    const auto& list = std::get<std::vector<std::string>>(clause.value);
    const bool found = std::find(list.begin(), list.end(), text) != list.end();
    return found == (clause.comparison == Comparison::in);
  }
  const auto& value = std::get<std::string>(clause.value);
  if (clause.comparison == Comparison::like) return is_like(text, value, true);
  if (clause.comparison == Comparison::ilike) return is_like(text, value, false);
  return compares(text, clause.comparison, value);
}

std::optional<std::string> value_of(const std::vector<KeyValue>& all, const std::string& key) {
  for (const KeyValue& each : all) {
    if (each.key == key) return each.value;
  }
  return std::nullopt;
}

std::optional<double> metric_of(const FullRun& run, const std::string& key) {
  for (const Metric& each : run.metrics) {
    if (each.key == key) return each.value;
  }
  return std::nullopt;
}

std::string text_attribute(const Run& run, const std::string& name) {
  if (name == "run_id") return run.run_id;
  if (name == "run_name") return run.display_name;
  if (name == "user_id") return run.user_id;
  if (name == "artifact_uri") return run.artifact_uri;
  return std::string(mlflow_status(run.state));
}

bool attribute_fits(const Run& run, const Clause& clause) {
  if (clause.key != "start_time" && clause.key != "end_time") return text_fits(text_attribute(run, clause.key), clause);
  const std::int64_t time = clause.key == "start_time" ? start_of(run) : run.ended_ms;
  return time != 0 && compares(static_cast<double>(time), clause.comparison, std::get<double>(clause.value));
}

bool dataset_fits(const FullRun& run, const Clause& clause) {
  return std::any_of(run.datasets.begin(), run.datasets.end(), [&](const DatasetInput& each) {
    if (clause.key == "name") return text_fits(each.dataset.name, clause);
    if (clause.key == "digest") return text_fits(each.dataset.digest, clause);
    const auto context = value_of(each.tags, "mlflow.data.context");
    return context && text_fits(*context, clause);
  });
}

// What a run is sorted by: whether it has a value (0), NaN (1) or none (2), then the value.
struct Place {
  int rank = 2;
  double number = 0;
  std::string text;
};
Place place_of(const FullRun& run, const SortKey& key) {
  if (key.field == Field::metric) {
    const auto value = metric_of(run, key.key);
    if (!value) return {};
    return std::isnan(*value) ? Place{1, 0, {}} : Place{0, *value, {}};
  }
  if (key.field == Field::attribute && key.key == "start_time") {
    return {0, static_cast<double>(start_of(run.run)), {}};
  }
  if (key.field == Field::attribute && key.key == "end_time") {
    return run.run.ended_ms == 0 ? Place{} : Place{0, static_cast<double>(run.run.ended_ms), {}};
  }
  if (key.field == Field::attribute) return {0, 0, text_attribute(run.run, key.key)};
  const auto value = value_of(key.field == Field::param ? run.params : run.tags, key.key);
  return value ? Place{0, 0, *value} : Place{};
}

bool comes_before(const FullRun& a, const FullRun& b, const std::vector<SortKey>& order) {
  for (const SortKey& key : order) {
    const Place x = place_of(a, key);
    const Place y = place_of(b, key);
    if (x.rank != y.rank) return x.rank < y.rank;
    if (x.number != y.number) return (x.number < y.number) == key.ascending;
    if (x.text != y.text) return (x.text < y.text) == key.ascending;
  }
  if (start_of(a.run) != start_of(b.run)) return start_of(a.run) > start_of(b.run);
  return a.run.run_id < b.run.run_id;
}
}  // namespace

bool fits(const FullRun& run, const Clause& clause) {
  if (clause.field == Field::attribute) return attribute_fits(run.run, clause);
  if (clause.field == Field::dataset) return dataset_fits(run, clause);
  if (clause.field == Field::metric) {
    const auto value = metric_of(run, clause.key);
    return value && compares(*value, clause.comparison, std::get<double>(clause.value));
  }
  const auto value = value_of(clause.field == Field::param ? run.params : run.tags, clause.key);
  if (clause.comparison == Comparison::is_null) return !value;
  if (clause.comparison == Comparison::is_not_null) return value.has_value();
  return value && text_fits(*value, clause);
}

std::vector<FullRun> search_by_hand(const std::vector<FullRun>& runs, const Search& search) {
  std::vector<FullRun> found;
  for (const FullRun& run : runs) {
    const auto& ids = search.experiment_ids;
    const bool is_archived = run.run.lifecycle == Lifecycle::archived;
    if (std::find(ids.begin(), ids.end(), run.run.experiment_id) == ids.end()) continue;
    if (search.view != View::all && is_archived != (search.view == View::archived_only)) continue;
    if (std::all_of(search.clauses.begin(), search.clauses.end(), [&](const Clause& each) { return fits(run, each); }))
      found.push_back(run);
  }
  std::sort(found.begin(), found.end(),
            [&](const FullRun& a, const FullRun& b) { return comes_before(a, b, search.order); });
  return found;
}

}  // namespace lockstep::history
