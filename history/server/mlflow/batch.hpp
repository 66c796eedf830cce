// What a request to log something says: log-batch, log-metric, log-parameter and set-tag are all of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "history/server/mlflow/fields.hpp"
#include "history/server/request.hpp"
#include "history/store/logged_models.hpp"
#include "history/store/values.hpp"

namespace lockstep::history::server::mlflow {

struct Batch {
  std::string run_id;
  std::vector<Metric> metrics;
  std::vector<KeyValue> params;
  std::vector<KeyValue> tags;
  std::map<std::string, std::vector<ModelMetric>> of_models;  // by model id: those of the metrics that name one
};

void read_metric(const Fields& fields, Batch& batch);  // one, of batch.run_id

// A log-batch request. Throws MlflowError for what MLflow refuses.
Batch read_batch(const Request& request);

// The same for requests as clients write them, at four times the speed; nullopt: something in it is unusual, and may be
// a mistake.
std::optional<Batch> read_plain_batch(const std::string& body);

}  // namespace lockstep::history::server::mlflow
