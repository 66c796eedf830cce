#include "history/sink/report/tracking_server.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "common/process.hpp"

namespace lockstep::history::report {

using nlohmann::json;

namespace {
constexpr const char* report_tag = "lockstep.report_id";

std::string message_of(const HttpReply& reply) {
  const json body = json::parse(reply.body, nullptr, false);
  if (body.is_object() && body.contains("message") && body["message"].is_string()) {
    return fmt::format("{} ({})", body["message"].get<std::string>(), reply.status);
  }
  return fmt::format("status {}", reply.status);
}

json result_of(const HttpReply& reply) {
  if (reply.status == 0) throw TryLater(reply.problem, 0, false);
  if (reply.status == 401 || reply.status == 403) throw TryLater(message_of(reply), reply.retry_after_s, true);
  if (reply.status == 408 || reply.status == 429 || reply.status >= 500) {
    throw TryLater(message_of(reply), reply.retry_after_s, false);
  }
  if (reply.status == 404) throw Missing(message_of(reply));
  if (reply.status != 200) throw Refused(message_of(reply));
  json body = json::parse(reply.body, nullptr, false);
  // A proxy's page, or a reply that was cut: whoever answered was not the server as it should be.
  if (!body.is_object()) throw TryLater("the reply is no JSON; is a tracking server at this address?", 0, false);
  return body;
}

// Reads as the caller says; a reply of another shape is a server in trouble.
template <class Read>
auto read(const json& body, Read read_it) -> decltype(read_it(body)) {
  try {
    return read_it(body);
  } catch (const json::exception&) {
    throw TryLater("the reply is not that of a tracking server", 0, false);
  }
}

std::string quoted(const std::string& text) {  // as a part of a URL
  std::string all;
  for (const char c : text) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    all += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return all;
}
}  // namespace

TrackingServer::TrackingServer(ServerSettings settings, std::function<bool()> given_up)
    : client_(std::move(settings), std::move(given_up)) {}

json TrackingServer::get(const std::string& path) { return result_of(client_.get("/api/2.0/mlflow/" + path)); }
json TrackingServer::post(const std::string& path, const json& body) {
  const std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return result_of(client_.post("/api/2.0/mlflow/" + path, text));
}

std::string TrackingServer::find_or_make_experiment(const std::string& name) {
  const auto find = [&]() -> std::optional<std::string> {
    try {
      return read(get("experiments/get-by-name?experiment_name=" + quoted(name)),
                  [](const json& body) { return body.at("experiment").at("experiment_id").get<std::string>(); });
    } catch (const Missing&) {
      return std::nullopt;
    }
  };
  if (const auto known = find()) return *known;
  try {
    return read(post("experiments/create", {{"name", name}}),
                [](const json& body) { return body.at("experiment_id").get<std::string>(); });
  } catch (const Refused&) {
    if (const auto known = find()) return *known;  // somebody else was quicker
    throw;
  }
}

std::string TrackingServer::find_or_make_run(const RunToMake& run) {
  const std::string filter = fmt::format("tags.`{}` = '{}'", report_tag, run.report_id);
  const json found = post(
      "runs/search", {{"experiment_ids", json::array({run.experiment_id})}, {"filter", filter}, {"max_results", 1}});
  const auto id_of = [](const json& made) { return made.at("info").at("run_id").get<std::string>(); };
  return read(found, [&](const json& body) {
    if (body.contains("runs") && !body["runs"].empty()) return id_of(body["runs"][0]);
    const std::string user = user_name();
    const json tags = {{{"key", "mlflow.source.name"}, {"value", this_program().string()}},
                       {{"key", "mlflow.source.type"}, {"value", "JOB"}},
                       {{"key", "mlflow.user"}, {"value", user}},
                       {{"key", report_tag}, {"value", run.report_id}}};
    return id_of(post("runs/create", {{"experiment_id", run.experiment_id},
                                      {"start_time", run.started_ms},
                                      {"run_name", run.run_name},
                                      {"user_id", user},
                                      {"tags", tags}})
                     .at("run"));
  });
}

RunOnServer TrackingServer::get_run(const std::string& run_id) {
  return read(get("runs/get?run_id=" + quoted(run_id)), [](const json& body) {
    const json& info = body.at("run").at("info");
    const json& data = body.at("run").at("data");
    RunOnServer run;
    run.deleted = info.value("lifecycle_stage", "active") == "deleted";
    run.experiment_id = info.value("experiment_id", "");
    for (const json& each : data.value("params", json::array())) run.params.insert(each.at("key").get<std::string>());
    run.tags = json::object();
    for (const json& each : data.value("tags", json::array())) {
      run.tags[each.at("key").get<std::string>()] = each.value("value", "");
    }
    return run;
  });
}

void TrackingServer::update_run(const std::string& run_id, const std::string& status,
                                std::optional<std::int64_t> ended_ms) {
  json body = {{"run_id", run_id}, {"status", status}};
  if (ended_ms) body["end_time"] = *ended_ms;
  post("runs/update", body);
}

void TrackingServer::log_batch(const std::string& run_id, const Batch& batch, const KeyValue& tag) {
  json tags = batch.tags;
  tags.push_back({{"key", tag.key}, {"value", tag.value}});
  post("runs/log-batch", {{"run_id", run_id}, {"metrics", batch.metrics}, {"params", batch.params}, {"tags", tags}});
}

}  // namespace lockstep::history::report
