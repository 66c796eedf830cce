// Logged models, MLflow 3's: what a run saved as a model, before anybody registers it. Calls throw as Store's do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "history/store/search.hpp"
#include "history/store/values.hpp"

namespace lockstep::history {

enum class LoggedModelStatus { pending, ready, failed };  // MLflow: LOGGED_MODEL_PENDING, _READY, _UPLOAD_FAILED

// A metric that says something about a model: logged by a run, on a dataset if that is named.
struct ModelMetric {
  Metric metric;
  std::string run_id;
  std::string dataset_name;
  std::string dataset_digest;
};

struct LoggedModel {
  std::string model_id;  // "m-" and 32 hexadecimal digits
  std::string experiment_id;
  std::string name;
  std::string artifact_uri;
  std::string model_type;
  std::string source_run_id;  // empty: none
  LoggedModelStatus status = LoggedModelStatus::pending;
  std::string status_message;
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  std::vector<KeyValue> params;      // by key
  std::vector<KeyValue> tags;        // by key
  std::vector<ModelMetric> metrics;  // every value, as they were logged: MLflow shows and searches all
};

struct NewLoggedModel {
  std::string model_id;
  std::string experiment_id;
  std::string name;
  std::string artifact_uri;
  std::string model_type;
  std::string source_run_id;
  std::vector<KeyValue> params;
  std::vector<KeyValue> tags;
};

struct LoggedModelPage {
  std::vector<LoggedModel> models;
  std::string next_page_token;
};

class LoggedModels {
 public:
  virtual ~LoggedModels() = default;

  virtual LoggedModel create_logged_model(const NewLoggedModel& model) = 0;
  virtual LoggedModel get_logged_model(const std::string& model_id) = 0;  // not_found for a deleted one
  virtual LoggedModel finish_logged_model(const std::string& model_id, LoggedModelStatus status) = 0;
  virtual void delete_logged_model(const std::string& model_id) = 0;
  virtual void set_logged_model_tags(const std::string& model_id, const std::vector<KeyValue>& tags) = 0;
  virtual void delete_logged_model_tag(const std::string& model_id, const std::string& key) = 0;
  virtual void log_logged_model_params(const std::string& model_id, const std::vector<KeyValue>& params) = 0;
  virtual void log_model_metrics(const std::string& model_id, const std::vector<ModelMetric>& metrics) = 0;
  virtual LoggedModelPage search_logged_models(const Search& search) = 0;
};

}  // namespace lockstep::history
