#include "history/server/http/service.hpp"

#include "history/server/http/counters.hpp"
#include "history/server/mlflow/routes.hpp"

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
static Routes own_routes(const std::string& version) {
  Routes routes;
  const auto add = [&](const char* path, const std::function<Reply(Store&)>& answer) {
    routes.push_back({.verb = Verb::get, .pattern = path, .access = Access::read, .handler = [answer](const Request&) {
                        return answer;
                      }});
  };
  add("/health", [](Store& store) {
    store.list_experiments(View::archived_only);
    return text_reply("OK");
  });
  add("/", [version](Store&) {
    return text_reply(
        fmt::format("Lockstep {}: run history, by MLflow's REST API at /api/2.0/mlflow/\n"
                    "/health, /version, /metrics (Prometheus)\n",
                    version));
  });
  add("/version", [version](Store&) { return text_reply(version); });
  return routes;
}

// A killed server left bodies behind that never became files.
static fs::path fresh_uploads(const Workspace& workspace) {
  const fs::path folder = workspace.uploads();
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  fs::create_directories(folder);
  return folder;
}

Service::Service(const Workspace& workspace, Options options, const std::string& version) : host_(options.host) {
  workspace.create();
  options.uploads = fresh_uploads(workspace);
  workers_ = std::make_unique<Workers>([&] { return open_sqlite_store(workspace.store_file()); }, readers);
  router_.add(mlflow::routes(workspace));
  router_.add(own_routes(version));
  server_ = std::make_unique<Server>(std::move(options), router_, *workers_);
  router_.add({{.verb = Verb::get, .pattern = "/metrics", .access = Access::read, .handler = [this](const Request&) {
                  return [this](Store&) { return counters_reply(*server_, *workers_); };
                }}});
}

Service::~Service() = default;

std::string Service::url() const {
  const bool is_ipv6 = host_.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", is_ipv6 ? "[" : "", host_, is_ipv6 ? "]" : "", server_->port());
}

void Service::run(bool until_signal) { server_->run(until_signal); }
void Service::stop() { server_->stop(); }

}  // namespace lockstep::history::server::http
