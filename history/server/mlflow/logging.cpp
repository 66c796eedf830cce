#include "history/server/mlflow/batch.hpp"
#include "history/server/mlflow/checks.hpp"
#include "history/server/mlflow/existing_run.hpp"
#include "history/server/mlflow/replies.hpp"
#include "history/server/mlflow/routes.hpp"
#include "history/store/reported_through.hpp"

namespace lockstep::history::server::mlflow {

// A sender that got no answer sends its batch again, perhaps while the first is still waiting here.
static bool was_taken(Store& store, const Batch& batch) {
  for (const KeyValue& tag : batch.tags) {
    const auto through = ReportedThrough::read(tag);
    if (!through) continue;
    for (const KeyValue& each : store.tags(batch.run_id)) {
      const auto before = each.key == tag.key ? ReportedThrough::read(each) : std::nullopt;
      if (before && through->is_within(*before)) return true;
    }
  }
  return false;
}

static Work written(Batch batch) {
  return [batch = std::move(batch)](Store& store) {
    return with_run(batch.run_id, [&] {
      if (was_taken(store, batch)) return empty_reply();
      store.log_batch(batch.run_id, batch.metrics, batch.params, batch.tags);
      for (const auto& [model, metrics] : batch.of_models) store.log_model_metrics(model, metrics);
      return empty_reply();
    });
  };
}

static Work log_batch(const Request& request) { return written(read_batch(request)); }

// What is not a batch is one of a single thing.
static Batch batch_of(const Fields& fields) {
  Batch batch;
  batch.run_id = run_id_of(fields);
  return batch;
}

static KeyValue pair_in(const Fields& fields) { return {fields.required_text("key"), fields.text("value")}; }

static Work log_metric(const Request& request) {
  const Fields fields(request);
  Batch batch = batch_of(fields);
  read_metric(fields, batch);
  check_metric(batch.metrics.back(), "");
  return written(std::move(batch));
}

static Work log_parameter(const Request& request) {
  const Fields fields(request);
  Batch batch = batch_of(fields);
  check_param(batch.params.emplace_back(pair_in(fields)), "");
  return written(std::move(batch));
}

static Work set_run_tag(const Request& request) {
  const Fields fields(request);
  Batch batch = batch_of(fields);
  check_tag(batch.tags.emplace_back(pair_in(fields)), "");
  return written(std::move(batch));
}

static Work delete_run_tag(const Request& request) {
  const Fields fields(request);
  return [id = run_id_of(fields), key = fields.required_text("key")](Store& store) {
    with_run(id, [&] {
      store.get_run(id);
      return empty_reply();
    });
    try {
      store.delete_tag(id, key);
    } catch (const Error& error) {
      if (error.code() != ExitCode::not_found) throw;
      throw does_not_exist("No tag with name: {} in run with id {}", key, id);
    }
    return empty_reply();
  };
}

// An experiment's log-model of MLflow 1 and 2: the description of a model, which a tag of the run lists.
static Work log_model(const Request& request) {
  const Fields fields(request);
  const std::string text = fields.required_text("model_json");
  nlohmann::json model = nlohmann::json::parse(text, nullptr, false);
  if (!model.is_object()) throw invalid_parameter("Malformed model info. \n {} \n is not a valid JSON.", text);
  for (const char* name : {"artifact_path", "flavors", "utc_time_created", "run_id"}) {
    if (!model.contains(name)) throw invalid_parameter("Model json is missing mandatory fields: {{'{}'}}", name);
  }
  return [id = run_id_of(fields), model = std::move(model)](Store& store) {
    return with_run(id, [&] {
      nlohmann::json history = nlohmann::json::array();
      for (const KeyValue& tag : store.tags(id)) {
        if (tag.key != "mlflow.log-model.history") continue;
        history = nlohmann::json::parse(tag.value, nullptr, false);
        if (!history.is_array()) history = nlohmann::json::array();
      }
      history.push_back(model);
      const KeyValue tag{"mlflow.log-model.history", history.dump()};
      store.log_batch(id, {}, {}, {&tag, 1});
      return empty_reply();
    });
  };
}

static Dataset dataset_of(const nlohmann::json& from, const std::string& place) {
  const auto text = [&](const char* name) {
    const auto found = from.find(name);
    if (found == from.end() || found->is_null()) return std::string();
    if (!found->is_string()) invalid_value(place + "." + name, *found, "It must be a text.");
    return found->get<std::string>();
  };
  Dataset dataset{text("name"), text("digest"), text("source_type"), text("source"), text("schema"), text("profile")};
  if (dataset.name.empty()) missing_value("name");
  if (dataset.digest.empty()) missing_value("digest");
  if (dataset.source_type.empty()) missing_value("source_type");
  if (dataset.source.empty()) missing_value("source");
  check_length("name", 500, dataset.name);
  check_length("digest", 36, dataset.digest);
  check_length("source", 65'535, dataset.source);
  check_length("schema", 1'048'575, dataset.schema);
  check_length("profile", 16'777'215, dataset.profile);
  return dataset;
}

static std::vector<ModelUse> models_in(const Fields& fields) {
  std::vector<ModelUse> models;
  for (const auto& each : fields.objects("models")) {
    const auto id = each.find("model_id");
    if (id == each.end() || !id->is_string()) missing_value(fmt::format("models[{}].model_id", models.size()));
    const auto step = each.find("step");
    const bool has_step = step != each.end() && step->is_number_integer();
    models.push_back({id->get<std::string>(), has_step ? step->get<std::int64_t>() : 0});
  }
  return models;
}

static Work log_inputs(const Request& request) {
  const Fields fields(request);
  std::vector<DatasetInput> datasets;
  for (const auto& each : fields.objects("datasets")) {
    const std::string place = fmt::format("datasets[{}]", datasets.size());
    const auto dataset = each.find("dataset");
    if (dataset == each.end() || !dataset->is_object()) missing_value(place + ".dataset");
    DatasetInput input;
    input.dataset = dataset_of(*dataset, place + ".dataset");
    input.tags = Fields(each).key_values("tags");
    for (const KeyValue& tag : input.tags) {
      check_length("key", 255, tag.key);
      check_length("value", 500, tag.value);
    }
    datasets.push_back(std::move(input));
  }
  return [id = run_id_of(fields), datasets = std::move(datasets), models = models_in(fields)](Store& store) {
    return with_run(id, [&] {
      store.log_inputs(id, datasets, models);
      return empty_reply();
    });
  };
}

static Work log_outputs(const Request& request) {
  const Fields fields(request);
  if (!fields.has("models")) missing_value("models");
  return [id = run_id_of(fields), models = models_in(fields)](Store& store) {
    return with_run(id, [&] {
      store.log_outputs(id, models);
      return empty_reply();
    });
  };
}

Routes batch_routes() {
  Routes routes;
  add_route(routes, Verb::post, "runs/log-batch", Access::write, log_batch);
  add_route(routes, Verb::post, "runs/log-metric", Access::write, log_metric);
  add_route(routes, Verb::post, "runs/log-parameter", Access::write, log_parameter);
  add_route(routes, Verb::post, "runs/set-tag", Access::write, set_run_tag);
  add_route(routes, Verb::post, "runs/delete-tag", Access::write, delete_run_tag);
  add_route(routes, Verb::post, "runs/log-model", Access::write, log_model);
  add_route(routes, Verb::post, "runs/log-inputs", Access::write, log_inputs);
  add_route(routes, Verb::post, "runs/outputs", Access::write, log_outputs);
  return routes;
}

}  // namespace lockstep::history::server::mlflow
