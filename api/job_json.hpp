// A run as users of Azure ML know jobs, in JSON: the keys of `az ml job show` where it has them, and ours beside them.
// `lockstep job ... -o json` and /api/v1 show the same.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/run_folder.hpp"
#include "history/store/artifacts.hpp"
#include "history/store/store.hpp"
#include "launcher/supervise/diagnosis.hpp"

namespace lockstep::api {

using Json = nlohmann::ordered_json;

template <class Value>
Json optional_json(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// All that is known of one run.
struct JobDetails {
  history::Run run;
  std::vector<history::KeyValue> params;
  std::vector<history::KeyValue> tags;
  std::vector<history::Metric> metrics;  // the latest of each
  std::vector<history::StateChange> changes;
  std::optional<supervise::FailureLog> failure;
  std::vector<history::Artifact> artifacts;  // the top of its outputs
  std::string queue = {};                    // why it waits for cores or for a cluster's nodes; empty: it does not
};
JobDetails read_details(history::Store& store, const Workspace& workspace, const std::string& run_id);
JobDetails read_details(history::Store& store, const Workspace& workspace, const std::string& run_id,
                        std::vector<history::Metric> metrics);  // with these, which may not be all of them

Json job_json(const history::Run& run, const Workspace& workspace);  // what a listing has
Json job_json(const JobDetails& details, const Workspace& workspace);
Json artifacts_json(const std::vector<history::Artifact>& artifacts);  // as MLflow's artifacts/list has them

// How long it ran, or runs; 0 before it started.
std::int64_t duration_ms(const history::Run& run, std::int64_t now_ms);
Json number_json(double value);  // NaN and infinities as the strings of the journal's format: JSON has none

}  // namespace lockstep::api
