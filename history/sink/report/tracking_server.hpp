// The few calls of MLflow's REST API that reporting a run takes.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include "history/sink/report/batch.hpp"
#include "history/sink/report/http_client.hpp"
#include "history/store/values.hpp"

namespace lockstep::history::report {

// It may pass later: no network, no server, a server in trouble (5xx) or busy (429), or one that does not let us in
// (401, 403; tokens are renewed). Whether the request was carried out is not known.
class TryLater : public std::runtime_error {
 public:
  TryLater(const std::string& message, int retry_after_s, bool forbidden)
      : std::runtime_error(message), retry_after_s(retry_after_s), forbidden(forbidden) {}
  int retry_after_s;
  bool forbidden;
};

// It will never pass; the server's own words.
class Refused : public std::runtime_error {
  using std::runtime_error::runtime_error;
};
class Missing : public Refused {  // 404
  using Refused::Refused;
};

struct RunToMake {
  std::string experiment_id;
  std::string run_name;
  std::string report_id;  // a tag of the run: by it a run is found whose making was not answered
  std::int64_t started_ms = 0;
};

struct RunOnServer {
  bool deleted = false;
  std::string experiment_id;
  std::set<std::string> params;  // their names
  nlohmann::json tags;           // name to value
};

// Every call throws TryLater or Refused.
class TrackingServer {
 public:
  TrackingServer(ServerSettings settings, std::function<bool()> given_up);

  std::string find_or_make_experiment(const std::string& name);  // its id
  std::string find_or_make_run(const RunToMake& run);            // its id
  RunOnServer get_run(const std::string& run_id);
  // "RUNNING", "FINISHED", "FAILED" or "KILLED"; the end's time with the last three.
  void update_run(const std::string& run_id, const std::string& status, std::optional<std::int64_t> ended_ms = {});
  void log_batch(const std::string& run_id, const Batch& batch, const KeyValue& tag);  // the tag with the batch

  std::string shown_uri() const { return without_credentials(client_.settings().uri); }

 private:
  nlohmann::json get(const std::string& path);
  nlohmann::json post(const std::string& path, const nlohmann::json& body);

  HttpClient client_;
};

}  // namespace lockstep::history::report
