// A server with a few routes of the test's own, over a store in a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <thread>

#include "history/server/http/server.hpp"
#include "tests/support/raw_http.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history::server::http {

class RunningServer : public ::testing::Test {
 protected:
  ~RunningServer() override { stop(); }

  void start(Options options) {
    options.port = 0;
    options.uploads = uploads_.path();
    server_ = std::make_unique<Server>(std::move(options), router_, workers_);
    thread_ = std::jthread([this] { server_->run(false); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
  }
  lockstep::testing::RawHttp client() { return lockstep::testing::RawHttp(server_->port()); }
  int port() { return server_->port(); }
  void reload_tls() { server_->reload_tls(); }
  const Counts& counts() { return server_->counts(); }
  const fs::path& uploads() const { return uploads_.path(); }

  void serve(Verb verb, const std::string& pattern, std::function<Work(const Request&)> handler,
             Body body = Body::in_memory, Access access = Access::read, std::optional<Scope> asks_for = {}) {
    router_.add({{.verb = verb,
                  .pattern = pattern,
                  .access = access,
                  .handler = std::move(handler),
                  .body = body,
                  .asks_for = asks_for}});
  }
  void serve_open(Verb verb, const std::string& pattern, std::function<Work(const Request&)> handler) {
    serve(verb, pattern, std::move(handler), Body::in_memory, Access::read, Scope::none);
  }
  static Reply text(std::string body) {
    Reply reply;
    reply.content_type = "text/plain";
    reply.body = std::move(body);
    return reply;
  }
  // Says what it was sent.
  static Work echo(const Request& request) {
    return [body = request.body](Store&) { return text(body); };
  }

 private:
  lockstep::testing::TemporaryFolder uploads_;
  StoreFolder folder_;
  Workers workers_{[this] { return folder_.open(); }, 2};
  Router router_;
  std::unique_ptr<Server> server_;
  std::jthread thread_;
};

}  // namespace lockstep::history::server::http
