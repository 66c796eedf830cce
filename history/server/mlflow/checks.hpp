// What MLflow refuses of names and values, with its messages. Places are as "metrics[3].name". Each throws MlflowError.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "history/store/values.hpp"

namespace lockstep::history::server::mlflow {

void check_name(const std::string& name, const std::string& place);
void check_length(const std::string& what, std::size_t limit, const std::string& text);

// With a `place` of "" it is the one that the whole request is about.
void check_metric(const Metric& metric, const std::string& place);
void check_param(KeyValue& param, const std::string& place);  // cuts a value that is too long, as the store would
void check_tag(KeyValue& tag, const std::string& place);      // likewise

void check_batch_limits(std::size_t metrics, std::size_t params, std::size_t tags);
void check_params_unique(const std::vector<KeyValue>& params);
void check_experiment_tag(const KeyValue& tag);
void check_experiment_name(const std::string& name);

}  // namespace lockstep::history::server::mlflow
