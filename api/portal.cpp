// The portal: files of the program itself, for everybody, since a page must be there before it can ask for a token.
#include "api/embedded.hpp"
#include "api/routes.hpp"

namespace lockstep::api {

static const char* content_type_of(std::string_view path) {
  if (path.ends_with(".html")) return "text/html; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  return "text/plain; charset=utf-8";
}

static Route route_of(const EmbeddedFile& file) {
  Route route{.verb = Verb::get,
              .pattern = file.path == "index.html" ? "/" : "/portal/" + std::string(file.path),
              .access = Access::read,
              .handler = {},
              .asks_for = history::Scope::none};
  route.handler = [file](const Request&) -> Work {
    return [file](Store&) {
      Reply reply;
      reply.content_type = content_type_of(file.path);
      reply.body = std::string(file.bytes);
      reply.headers = {{"Content-Security-Policy",
                        "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; "
                        "form-action 'none'"},
                       {"Referrer-Policy", "no-referrer"},
                       {"Cache-Control", "no-cache"}};
      return reply;
    };
  };
  return route;
}

Routes portal_routes() {
  Routes routes;
  for (const EmbeddedFile& file : portal_files()) routes.push_back(route_of(file));
  return routes;
}

}  // namespace lockstep::api
