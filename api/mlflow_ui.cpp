#include "api/mlflow_ui.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "api/page_files.hpp"
#include "common/error.hpp"
#include "history/server/mlflow/error.hpp"

namespace lockstep::api {

using history::Scope;

namespace {
constexpr const char* place = "/mlflow";

// Looked for once: what is served is one of them, whatever a request's path leads to.
using Files = std::map<std::string, fs::path, std::less<>>;

Files files_below(const fs::path& folder) {
  Files all;
  std::error_code code;
  for (fs::recursive_directory_iterator each(folder, code), end; !code && each != end; each.increment(code)) {
    if (each->is_regular_file()) all.emplace(fs::relative(each->path(), folder).generic_string(), each->path());
  }
  return all;
}

Reply file_reply(const std::string& path, const fs::path& file) {
  Reply reply;
  reply.file = file;
  reply.content_type = page_type_of(path);
  // The names below static/ have a digest of the content in them.
  reply.headers = {{"Cache-Control", path.starts_with("static/") ? "max-age=31536000, immutable" : "no-cache"},
                   {"Content-Security-Policy", "frame-ancestors 'self'; base-uri 'self'; form-action 'self'"},
                   {"Referrer-Policy", "no-referrer"}};
  return reply;
}

Route route_of(const std::string& pattern, Scope asks_for, std::function<Reply(const Request&)> answer) {
  return {.verb = Verb::get,
          .pattern = place + pattern,
          .access = Access::read,
          .handler = [answer = std::move(answer)](const Request& request) -> Work {
            return [reply = answer(request)](Store&) { return reply; };
          },
          .asks_for = asks_for};
}

bool is_asked_by_pages(const std::string& pattern) {
  constexpr std::array asked{"/ajax-api/", "/graphql", "/get-artifact", "/model-versions/get-artifact"};
  return std::any_of(asked.begin(), asked.end(), [&](const char* each) { return pattern.starts_with(each); });
}
}  // namespace

Routes mlflow_ui_routes(const fs::path& folder, const Routes& rest) {
  const auto files = std::make_shared<const Files>(files_below(folder));
  const auto index = files->find("index.html");
  if (index == files->end()) throw bad_input("{} has no web pages of MLflow (index.html)", folder.string());
  Routes routes;
  routes.push_back(route_of("", Scope::none, [](const Request&) {  // the pages' addresses are relative to /mlflow/
    Reply reply;
    reply.status = 302;
    reply.headers = {{"Location", "mlflow/"}};
    return reply;
  }));
  routes.push_back(
      route_of("/", Scope::read, [page = index->second](const Request&) { return file_reply("index.html", page); }));
  routes.push_back(route_of("/static-files/{path...}", Scope::none, [files](const Request& request) {
    const auto found = files->find(request.captured.at(0));
    if (found != files->end()) return file_reply(found->first, found->second);
    return history::server::mlflow::reply_of(history::server::mlflow::ErrorCode::resource_does_not_exist,
                                             "No such file");
  }));
  for (const Route& each : rest) {
    if (!is_asked_by_pages(each.pattern)) continue;
    routes.push_back(each);
    routes.back().pattern = place + each.pattern;
  }
  return routes;
}

}  // namespace lockstep::api
