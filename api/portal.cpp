// The portal: files of the program itself, for everybody, since a page must be there before it can ask for a token.
#include "api/embedded.hpp"
#include "api/page_files.hpp"
#include "api/routes.hpp"
#include "common/digest.hpp"

namespace lockstep::api {

// A list of tags, or "*". Tags have their quotes around them, so one that is ours stands there only as a whole.
static bool names(const std::string& if_none_match, const std::string& tag) {
  return if_none_match == "*" || if_none_match.find(tag) != std::string::npos;
}

static Route route_of(const EmbeddedFile& file) {
  Route route{.verb = Verb::get,
              .pattern = file.path == "index.html" ? "/" : "/portal/" + std::string(file.path),
              .access = Access::read,
              .handler = {},
              .asks_for = history::Scope::none};
  const std::string tag = '"' + sha256_hex(file.bytes).substr(0, 32) + '"';
  route.handler = [file, tag](const Request& request) -> Work {
    return [file, tag, has_it = names(request.if_none_match, tag)](Store&) {
      Reply reply;
      reply.headers = {{"Content-Security-Policy",
                        "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; "
                        "form-action 'none'"},
                       {"Referrer-Policy", "no-referrer"},
                       {"Cache-Control", "no-cache"},
                       {"ETag", tag}};
      if (has_it) {
        reply.status = 304;
        return reply;
      }
      reply.content_type = page_type_of(file.path);
      reply.body = std::string(file.bytes);
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
