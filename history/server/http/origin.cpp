#include "history/server/http/origin.hpp"

#include <boost/beast/core/string.hpp>

namespace lockstep::history::server::http {

namespace {
struct Authority {
  std::string_view host;
  std::string_view port;
};
}  // namespace

static Authority authority_of(std::string_view text, std::string_view usual_port) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) return {text, usual_port};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

bool is_own_page(std::string_view origin, std::string_view host) {
  const auto end = origin.find("://");
  if (end == std::string_view::npos || host.empty()) return false;
  const std::string_view scheme = origin.substr(0, end);
  const std::string_view usual_port = boost::beast::iequals(scheme, "https") ? "443" : "80";
  const Authority from = authority_of(origin.substr(end + 3), usual_port);
  const Authority to = authority_of(host, usual_port);
  return boost::beast::iequals(from.host, to.host) && from.port == to.port;
}

}  // namespace lockstep::history::server::http
