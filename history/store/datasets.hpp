// What went into a run and what came out of it, beyond metrics and files: MLflow's inputs and outputs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "history/store/values.hpp"

namespace lockstep::history {

struct Dataset {
  std::string name;
  std::string digest;
  std::string source_type;
  std::string source;
  std::string schema;   // empty: none
  std::string profile;  // empty: none
  bool operator==(const Dataset&) const = default;
};

struct DatasetInput {
  Dataset dataset;
  std::vector<KeyValue> tags;  // mlflow.data.context: "training", "validation", ...
  bool operator==(const DatasetInput&) const = default;
};

// A logged model that a run read (no step) or wrote (at a step).
struct ModelUse {
  std::string model_id;
  std::int64_t step = 0;
  bool operator==(const ModelUse&) const = default;
};

// One dataset of an experiment, with one of the contexts it was used in.
struct DatasetSummary {
  std::string experiment_id;
  std::string name;
  std::string digest;
  std::string context;
  bool operator==(const DatasetSummary&) const = default;
};

}  // namespace lockstep::history
