#include "history/server/mlflow/batch.hpp"

#include "history/server/mlflow/checks.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/existing_run.hpp"
#include "history/store/limits.hpp"

namespace lockstep::history::server::mlflow {

void read_metric(const Fields& fields, Batch& batch) {
  Metric metric{.key = fields.required_text("key"),
                .value = fields.required_number("value"),
                .timestamp_ms = fields.required_integer("timestamp"),
                .step = fields.integer("step").value_or(0)};
  if (const std::string model = fields.text("model_id"); !model.empty()) {
    batch.of_models[model].push_back(
        {metric, batch.run_id, fields.text("dataset_name"), fields.text("dataset_digest")});
  }
  batch.metrics.push_back(std::move(metric));
}

static void read_metric_of_list(const nlohmann::json& object, const std::string& place, Batch& batch) {
  static const nlohmann::json no_text = "";
  for (const char* name : {"key", "value", "timestamp"}) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null() || *found == no_text) missing_value(place + "." + name);
  }
  read_metric(Fields(object), batch);
}

static Batch read_any_batch(const Request& request) {
  const Fields fields(request);
  Batch batch;
  batch.run_id = run_id_of(fields);
  const auto metrics = fields.objects("metrics");
  for (std::size_t i = 0; i < metrics.size(); ++i)
    read_metric_of_list(metrics[i], fmt::format("metrics[{}]", i), batch);
  batch.params = fields.key_values("params");
  batch.tags = fields.key_values("tags");
  return batch;
}

static void check(Batch& batch) {
  check_batch_limits(batch.metrics.size(), batch.params.size(), batch.tags.size());
  check_params_unique(batch.params);
  const auto place = [](const char* what, std::size_t i) { return fmt::format("{}[{}]", what, i); };
  for (std::size_t i = 0; i < batch.metrics.size(); ++i) {
    if (limits::mistake_in_metric(batch.metrics[i])) check_metric(batch.metrics[i], place("metrics", i));
  }
  for (std::size_t i = 0; i < batch.params.size(); ++i) check_param(batch.params[i], place("params", i));
  for (std::size_t i = 0; i < batch.tags.size(); ++i) check_tag(batch.tags[i], place("tags", i));
}

Batch read_batch(const Request& request) {
  constexpr std::size_t longest = 1'000'000;
  if (request.body.size() > longest) {
    throw invalid_parameter("Batched logging API requests must be at most {} bytes, got a request of size {}.", longest,
                            request.body.size());
  }
  auto plain = read_plain_batch(request.body);
  Batch batch = plain ? std::move(*plain) : read_any_batch(request);
  check(batch);
  return batch;
}

}  // namespace lockstep::history::server::mlflow
