// /metrics: what the server counted, in Prometheus's text format.
#pragma once

#include "history/server/http/server.hpp"

namespace lockstep::history::server::http {

Reply counters_reply(const Server& server, const Workers& workers);

}  // namespace lockstep::history::server::http
