#include "history/server/http/service.hpp"

#include "history/server/http/counters.hpp"
#include "history/server/mlflow/routes.hpp"
#include "history/store/open_store.hpp"

namespace lockstep::history::server::http {

static constexpr int readers = 2;

static Reply text_reply(std::string text) {
  Reply reply;
  reply.content_type = "text/plain; charset=utf-8";
  reply.body = std::move(text);
  return reply;
}

// What a client asks for that wants to know whether, and what, is there. The store is asked, too: a server that can't
// read it is not well.
static Routes own_routes() {
  Routes routes;
  const auto add = [&](const char* path, const std::function<Reply(Store&)>& answer) {
    routes.push_back({.verb = Verb::get,
                      .pattern = path,
                      .access = Access::read,
                      .handler = [answer](const Request&) { return answer; },
                      .asks_for = Scope::none});
  };
  add("/health", [](Store& store) {
    store.list_experiments(View::archived_only);
    return text_reply("OK");
  });
  add("/", [](Store&) {
    return text_reply("Lockstep " LOCKSTEP_VERSION
                      ": run history, by MLflow's REST API at /api/2.0/mlflow/\n"
                      "/health, /version, /metrics (Prometheus)\n");
  });
  add("/version", [](Store&) { return text_reply(LOCKSTEP_VERSION); });
  return routes;
}

static const Workspace& made(const Workspace& workspace) {
  workspace.create();
  return workspace;
}

Service::Service(const Workspace& workspace, Options options, const Served& served, Routes further)
    : uploads_(made(workspace)), host_(options.host) {
  options.uploads = uploads_.path();
  const std::string store = served.store.empty() ? workspace.store_file().string() : served.store;
  bool is_writers = true;
  const auto open = [&] {
    return open_store(store, std::exchange(is_writers, false) ? OpenedFor::server : OpenedFor::command);
  };
  workers_ = std::make_unique<Workers>(open, readers, served.survives);
  router_.add(std::move(further));
  router_.add(mlflow::routes(workspace));
  router_.add(own_routes());
  server_ = std::make_unique<Server>(std::move(options), router_, *workers_);
  router_.add({{.verb = Verb::get, .pattern = "/metrics", .access = Access::read, .handler = [this](const Request&) {
                  return [this](Store&) { return counters_reply(*server_, *workers_); };
                }}});
}

Service::~Service() = default;

std::string Service::url() const {
  const bool is_ipv6 = host_.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", server_->has_tls() ? "https" : "http", is_ipv6 ? "[" : "", host_,
                     is_ipv6 ? "]" : "", server_->port());
}

void Service::run(bool until_signal, const std::function<void()>& when_ready) {
  server_->run(until_signal, when_ready);
}
void Service::stop() { server_->stop(); }

}  // namespace lockstep::history::server::http
