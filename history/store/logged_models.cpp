#include "common/clock.hpp"
#include "common/utf8.hpp"
#include "history/store/limits.hpp"
#include "history/store/logged_model_rows.hpp"
#include "history/store/sql_store.hpp"

namespace lockstep::history {

static constexpr std::size_t name_length = 500;  // the columns of MLflow's tables
static constexpr std::size_t key_length = 255;

static void check_text(std::string_view what, std::string_view text, std::size_t limit) {
  if (!is_valid_utf8(text)) throw bad_input("The {} is not valid UTF-8.", what);
  if (characters(text) > limit) throw bad_input("The {} exceeds the maximum length of {} characters", what, limit);
}

static void check_model_name(const std::string& name) {
  check_text("name of the model", name, name_length);
  if (name.empty() || name.find_first_of("/:.%\"'") != std::string::npos) {
    const char quote = name.find('\'') != std::string::npos && name.find('"') == std::string::npos ? '"' : '\'';
    throw bad_input(
        "Invalid model name ({0}{1}{0}) provided. Model name must be a non-empty string and cannot contain the "
        "following characters: ('/', ':', '.', '%', '\"', \"'\")",
        quote, name);
  }
}

static void check_pair(std::string_view what, const KeyValue& pair) {
  check_text(fmt::format("key of a {}", what), pair.key, key_length);
  check_text(fmt::format("value of the {} '{}'", what, pair.key), pair.value, pair.value.size());
}

[[noreturn]] static void model_not_found(const std::string& model_id) {
  throw not_found("Logged model with ID '{}' not found.", model_id);
}

// Of a deleted one, too: only reading and searching pass it by, as in MLflow.
static std::int64_t number_of_logged_model(Database& database, const std::string& model_id) {
  Query found = database.query("SELECT number FROM logged_models WHERE model_id = ?");
  if (!found.bind(model_id).step()) model_not_found(model_id);
  return found.integer(0);
}

static LoggedModel read_model(Database& database, std::int64_t number) {
  Query found = database.query(fmt::format("SELECT {} FROM logged_models m WHERE m.number = ?", logged_model_columns));
  found.bind(number).step();
  return logged_model_of(database, found);
}

static void write_tags(Database& database, std::int64_t model, const std::vector<KeyValue>& tags) {
  for (const KeyValue& tag : tags) {
    check_pair("tag", tag);
    database
        .query(
            "INSERT INTO logged_model_tags (model, key, value) VALUES (?, ?, ?) "
            "ON CONFLICT (model, key) DO UPDATE SET value = excluded.value")
        .bind(model, tag.key, tag.value)
        .run();
  }
}

// The same value again is fine, so that a client whose reply got lost may repeat its request.
static void write_params(Database& database, std::int64_t model, const std::vector<KeyValue>& params) {
  for (const KeyValue& param : params) {
    check_pair("parameter", param);
    database.query("INSERT INTO logged_model_params (model, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(model, param.key, param.value)
        .run();
    if (database.changed_rows() == 1) continue;
    Query there = database.query("SELECT value FROM logged_model_params WHERE model = ? AND key = ?");
    there.bind(model, param.key).step();
    if (there.text(0) != param.value) {
      throw bad_input("The model has the parameter '{}' with the value '{}' already; it can't become '{}'.", param.key,
                      there.text(0), param.value);
    }
  }
}

LoggedModel SqlStore::create_logged_model(const NewLoggedModel& model) {
  check_model_name(model.name);
  check_text("type of the model", model.model_type, name_length);
  Transaction transaction(database_, Survives::power_loss);
  const Experiment experiment = get_experiment_by_id(model.experiment_id);
  if (experiment.lifecycle != Lifecycle::active) {
    throw bad_input("The experiment {} must be in the 'active' state. Current state is deleted.",
                    experiment.experiment_id);
  }
  const std::int64_t now = now_ms();
  const auto number =
      database_
          .query(
              "INSERT INTO logged_models (model_id, experiment_id, name, artifact_uri, model_type, source_run_id, "
              "status, "
              "created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model_id) DO NOTHING "
              "RETURNING number")
          .bind(model.model_id, std::int64_t{std::stoll(experiment.experiment_id)}, model.name, model.artifact_uri,
                model.model_type, model.source_run_id, status_number(LoggedModelStatus::pending), now, now)
          .one_number();
  if (!number) {
    throw AlreadyExists(ExitCode::bad_input, fmt::format("Logged model with ID '{}' already exists.", model.model_id));
  }
  write_params(database_, *number, model.params);
  write_tags(database_, *number, model.tags);
  LoggedModel created = read_model(database_, *number);
  transaction.commit();
  return created;
}

LoggedModel SqlStore::get_logged_model(const std::string& model_id) {
  Query found = database_.query(
      fmt::format("SELECT {} FROM logged_models m WHERE m.model_id = ? AND m.deleted = 0", logged_model_columns));
  if (!found.bind(model_id).step()) model_not_found(model_id);
  return logged_model_of(database_, found);
}

LoggedModel SqlStore::finish_logged_model(const std::string& model_id, LoggedModelStatus status) {
  Transaction transaction(database_, Survives::power_loss);
  const std::int64_t number = number_of_logged_model(database_, model_id);
  database_.query("UPDATE logged_models SET status = ?, updated_ms = ? WHERE number = ?")
      .bind(status_number(status), now_ms(), number)
      .run();
  LoggedModel finished = read_model(database_, number);
  transaction.commit();
  return finished;
}

void SqlStore::delete_logged_model(const std::string& model_id) {
  Transaction transaction(database_, Survives::power_loss);
  database_.query("UPDATE logged_models SET deleted = 1, updated_ms = ? WHERE number = ?")
      .bind(now_ms(), number_of_logged_model(database_, model_id))
      .run();
  transaction.commit();
}

void SqlStore::set_logged_model_tags(const std::string& model_id, const std::vector<KeyValue>& tags) {
  Transaction transaction(database_, Survives::process_death);
  write_tags(database_, number_of_logged_model(database_, model_id), tags);
  transaction.commit();
}

void SqlStore::delete_logged_model_tag(const std::string& model_id, const std::string& key) {
  Transaction transaction(database_, Survives::process_death);
  database_.query("DELETE FROM logged_model_tags WHERE model = ? AND key = ?")
      .bind(number_of_logged_model(database_, model_id), key)
      .run();
  if (database_.changed_rows() == 0) {
    throw not_found("No tag with key '{}' found for model with ID '{}'.", key, model_id);
  }
  transaction.commit();
}

void SqlStore::log_logged_model_params(const std::string& model_id, const std::vector<KeyValue>& params) {
  Transaction transaction(database_, Survives::process_death);
  write_params(database_, number_of_logged_model(database_, model_id), params);
  transaction.commit();
}

// What is there already is left out: a request may be repeated.
void SqlStore::log_model_metrics(const std::string& model_id, const std::vector<ModelMetric>& metrics) {
  Transaction transaction(database_, Survives::process_death);
  const std::int64_t model = number_of_logged_model(database_, model_id);
  for (const ModelMetric& each : metrics) {
    if (const auto mistake = limits::mistake_in_metric(each.metric)) throw bad_input("{}", *mistake);
    database_
        .query(
            "INSERT INTO logged_model_metrics (model, key, timestamp_ms, step, value, run_id, dataset_name, "
            "dataset_digest) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS (SELECT 1 FROM "
            "logged_model_metrics WHERE model = ?1 AND key = ?2 AND timestamp_ms = ?3 AND step = ?4 AND value IS NOT "
            "DISTINCT FROM ?5 "
            "AND run_id = ?6 AND dataset_name = ?7 AND dataset_digest = ?8)")
        .bind(model, each.metric.key, each.metric.timestamp_ms, each.metric.step, each.metric.value, each.run_id,
              each.dataset_name, each.dataset_digest)
        .run();
  }
  transaction.commit();
}

}  // namespace lockstep::history
