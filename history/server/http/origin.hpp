// Whether a request comes from a page of our own. Browsers send other sites' requests, too: a form that posts
// text/plain reaches every server that its reader can reach, loopback included, and asks nobody first.
#pragma once

#include <string_view>

namespace lockstep::history::server::http {

// The Origin header, "http://host:port", against the Host header, "host:port". A port that is left out is the scheme's.
// "null" and what can't be read are nobody's own.
bool is_own_page(std::string_view origin, std::string_view host);

}  // namespace lockstep::history::server::http
