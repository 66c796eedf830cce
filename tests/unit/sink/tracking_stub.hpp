// As much of a tracking server as reporting asks for. It keeps everything that it is told, twice if it is told twice.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/support/scripted_server.hpp"

namespace lockstep::testing {

class TrackingStub {
 public:
  using json = nlohmann::json;
  // What happens to the next requests, the first to the first: an answer instead of the true one, or, with `after`, one
  // that is given when the request has been carried out.
  struct Trouble {
    std::string path;  // a part of it; other requests pass
    ScriptedReply reply;
    bool after = false;
  };

  TrackingStub() { start(); }

  void start(int port = 0) {
    server_ =
        std::make_unique<ScriptedServer>([this](const ScriptedRequest& request) { return answer(request); }, port);
    port_ = server_->port();
  }
  void stop() { server_.reset(); }
  void start_again() { start(port_); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  void trouble(Trouble what) {
    const std::lock_guard lock(mutex_);
    troubles_.push_back(std::move(what));
  }
  template <class Look>
  auto with(Look look) {
    const std::lock_guard lock(mutex_);
    return look(*this);
  }
  // (step, value) of a metric, in the order in which they came.
  std::vector<std::pair<std::int64_t, double>> metric(const std::string& key) {
    const std::lock_guard lock(mutex_);
    return metrics_[key];
  }

  // Read these under with(), or when the server has nothing to do.
  std::map<std::string, std::string> params, tags;
  std::string status;
  std::optional<std::int64_t> end_time;
  bool deleted = false;
  std::vector<json> batches;
  std::vector<ScriptedRequest> requests;
  int runs_made = 0;
  std::function<std::string(const json&)> refuse_batch = [](const json&) { return ""; };

 private:
  ScriptedReply answer(const ScriptedRequest& request) {
    const std::lock_guard lock(mutex_);
    requests.push_back(request);
    if (!troubles_.empty() && request.path.find(troubles_.front().path) != std::string::npos) {
      const Trouble trouble = troubles_.front();
      troubles_.pop_front();
      if (trouble.after) carry_out(request);
      return trouble.reply;
    }
    return carry_out(request);
  }

  static ScriptedReply error(int status, const std::string& message) {
    return {.status = status, .body = json{{"error_code", "X"}, {"message", message}}.dump()};
  }

  ScriptedReply carry_out(const ScriptedRequest& request) {
    const auto asks = [&](const char* what) { return request.path.find(what) != std::string::npos; };
    const json body = json::parse(request.body, nullptr, false);
    if (asks("experiments/get-by-name")) return error(404, "no such experiment");
    if (asks("experiments/create")) return {.body = R"({"experiment_id":"7"})"};
    if (asks("runs/search")) {
      if (runs_made == 0) return {};
      return {.body = R"({"runs":[{"info":{"run_id":"the-run"}}]})"};
    }
    if (asks("runs/create")) {
      ++runs_made;
      for (const json& each : body["tags"]) tags[each["key"]] = each["value"];
      status = "RUNNING";
      return {.body = R"({"run":{"info":{"run_id":"the-run"}}})"};
    }
    if (asks("runs/update")) {
      if (deleted) return error(400, "it is deleted");
      status = body["status"];
      if (body.contains("end_time")) end_time = body["end_time"];
      return {};
    }
    if (asks("runs/get")) return {.body = run().dump()};
    if (asks("runs/log-batch")) return log_batch(body);
    return error(404, "no such endpoint");
  }

  json run() const {
    json all = json::array();
    for (const auto& [key, value] : params) all.push_back({{"key", key}, {"value", value}});
    json all_tags = json::array();
    for (const auto& [key, value] : tags) all_tags.push_back({{"key", key}, {"value", value}});
    return {{"run",
             {{"info",
               {{"run_id", "the-run"}, {"experiment_id", "7"}, {"lifecycle_stage", deleted ? "deleted" : "active"}}},
              {"data", {{"params", all}, {"tags", all_tags}}}}}};
  }

  ScriptedReply log_batch(const json& body) {
    const std::size_t metrics = body["metrics"].size();
    const std::size_t all = metrics + body["params"].size() + body["tags"].size();
    if (metrics > 1000 || body["params"].size() > 100 || body["tags"].size() > 100 || all > 1000) {
      return error(400, "too much at once");
    }
    if (deleted) return error(400, "it is deleted");
    if (const std::string reason = refuse_batch(body); !reason.empty()) return error(400, reason);
    for (const json& each : body["params"]) {
      const auto known = params.find(each["key"]);
      if (known != params.end() && known->second != each["value"].get<std::string>())
        return error(400, "changing params is not allowed");
    }
    for (const json& each : body["params"]) params[each["key"]] = each["value"];
    for (const json& each : body["tags"]) tags[each["key"]] = each["value"];
    for (const json& each : body["metrics"]) {
      const double value = each["value"].is_number() ? each["value"].get<double>() : 0;
      metrics_[each["key"]].emplace_back(each["step"], value);
    }
    batches.push_back(body);
    return {};
  }

  std::mutex mutex_;
  std::deque<Trouble> troubles_;
  std::map<std::string, std::vector<std::pair<std::int64_t, double>>> metrics_;
  int port_ = 0;
  std::unique_ptr<ScriptedServer> server_;
};

}  // namespace lockstep::testing
