// "PATH\nBODY": any bytes as the body of any request of MLflow's API that takes one. Whatever it is, the reply is JSON,
// and never the server's own fault (5xx).
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/utf8.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/routes.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

namespace server = lockstep::history::server;
using lockstep::history::Store;

// A history with a run "r" in experiment 0. In memory: thousands of commits a second would wait for a disk.
class World {
 public:
  World() {
    workspace.create();
    store = lockstep::history::open_sqlite_store(workspace.store_file());
    lockstep::history::NewRun run;
    run.run_id = "r";
    run.experiment_id = "0";
    run.reported_since_ms = 1;
    store->create_run(run);
    router.add(server::mlflow::routes(workspace));
  }

 private:
  static const char* in_memory() {
    ::setenv("TMPDIR", "/dev/shm", 1);
    return "";
  }
  const char* before_the_folder_ = in_memory();
  lockstep::testing::TemporaryFolder folder_;

 public:
  const lockstep::Workspace workspace{folder_ / ".lockstep"};
  std::unique_ptr<Store> store;
  server::Router router;
};

server::Reply answer(const World& world, server::Request& request) {
  try {
    bool other_verb = false;
    const server::Route* route = world.router.find(request, other_verb);
    if (route == nullptr || route->body != server::Body::in_memory) return {.status = 404, .body = "{}"};
    return route->handler(request)(*world.store);
  } catch (...) {
    return server::mlflow::reply_of(std::current_exception());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World world;
  const std::string text(data, data + size);
  const std::size_t line_end = std::min(text.find('\n'), size);
  server::Request request;
  request.verb = server::Verb::post;
  request.path = "/api/2.0/mlflow/" + text.substr(0, line_end);
  request.base_url = "http://127.0.0.1:5000";
  request.content_type = "application/json";
  request.body = text.substr(std::min(line_end + 1, size));
  const server::Reply reply = answer(world, request);
  const bool is_json = nlohmann::json::accept(reply.body) && lockstep::is_valid_utf8(reply.body);
  if (reply.status < 500 && (reply.body.empty() || is_json)) return 0;
  std::cerr << request.path << ": " << reply.status << ' ' << reply.body << '\n';
  std::abort();
}
