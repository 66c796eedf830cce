// The API without a network: requests go through the routes to a store in a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "common/run_folder.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/route.hpp"
#include "history/store/store.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::history::server {

struct Answer {
  int status = 0;
  nlohmann::json json;  // discarded if the body is no JSON
  Reply reply;

  std::string error_code() const { return json.is_object() ? json.value("error_code", "") : ""; }
  std::string message() const { return json.is_object() ? json.value("message", "") : ""; }
};

class ApiRig : public ::testing::Test {
 protected:
  void serve(Routes routes) { router_.add(std::move(routes)); }

  Answer post(const std::string& path, const nlohmann::json& body) { return send(Verb::post, path, body); }
  Answer get(const std::string& path, std::vector<KeyValue> query = {}) {
    Request request = request_of(Verb::get, path);
    request.query = std::move(query);
    return send(std::move(request));
  }
  Answer send(Verb verb, const std::string& path, const nlohmann::json& body) {
    Request request = request_of(verb, path);
    request.content_type = "application/json";
    request.body = body.dump();
    return send(std::move(request));
  }
  Answer send(Request request) {
    Answer answer;
    try {
      bool other_verb = false;
      const Route* route = router_.find(request, other_verb);
      if (route == nullptr) throw mlflow::MlflowError(mlflow::ErrorCode::endpoint_not_found, request.path);
      answer.reply = route->handler(request)(*store_);
    } catch (...) {
      answer.reply = mlflow::reply_of(std::current_exception());
    }
    answer.status = answer.reply.status;
    answer.json = nlohmann::json::parse(answer.reply.body, nullptr, false);
    return answer;
  }
  // "experiments/create" is below MLflow's prefix, "/get-artifact" is a whole path.
  static Request request_of(Verb verb, const std::string& path) {
    Request request;
    request.verb = verb;
    request.path = path.starts_with('/') ? path : "/api/2.0/mlflow/" + path;
    request.base_url = "http://127.0.0.1:5000";
    return request;
  }

  Store& store() { return *store_; }
  const Workspace& workspace() const { return workspace_; }

 private:
  testing::TemporaryFolder folder_;
  Workspace workspace_ = [this] {
    Workspace made(folder_ / ".lockstep");
    made.create();
    return made;
  }();
  std::unique_ptr<Store> store_ = open_sqlite_store(workspace_.store_file());
  Router router_;
};

}  // namespace lockstep::history::server
