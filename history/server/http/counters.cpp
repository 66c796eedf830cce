#include "history/server/http/counters.hpp"

#include <fmt/format.h>

namespace lockstep::history::server::http {

// One metric without labels. https://prometheus.io/docs/instrumenting/exposition_formats/
static void append(std::string& out, const char* name, const char* type, const char* help, std::uint64_t value) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}

static void append_replies(std::string& out, const Counts& counts) {
  constexpr const char* name = "lockstep_http_replies_total";
  out += fmt::format("# HELP {0} Replies by status.\n# TYPE {0} counter\n", name);
  for (std::size_t digit = 2; digit < std::size(counts.replies); ++digit) {
    out += fmt::format("{}{{status=\"{}xx\"}} {}\n", name, digit, counts.replies[digit].load());
  }
}

static void append_times(std::string& out, const Counts& counts) {
  constexpr const char* name = "lockstep_http_reply_seconds";
  out += fmt::format("# HELP {0} From a request's first byte to its reply's last.\n# TYPE {0} histogram\n", name);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < std::size(counts.took); ++i) {
    sum += counts.took[i];
    const bool is_last = i + 1 == std::size(counts.took);
    const std::string up_to = is_last ? "+Inf" : fmt::format("{}", Counts::seconds_up_to[i]);
    out += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, up_to, sum);
  }
  out += fmt::format("{0}_sum {1}\n{0}_count {2}\n", name, static_cast<double>(counts.microseconds) / 1e6, sum);
}

Reply counters_reply(const Server& server, const Workers& workers) {
  const Counts& counts = server.counts();
  std::string out;
  append(out, "lockstep_http_connections", "gauge", "Connections open now.", counts.connections);
  append(out, "lockstep_http_connections_total", "counter", "Connections ever accepted.", counts.accepted);
  append(out, "lockstep_http_connections_refused_total", "counter", "Connections that were too many.",
         counts.refused_connections);
  append(out, "lockstep_http_failed_accepts_total", "counter", "Connections that waited for a descriptor.",
         counts.failed_accepts);
  append(out, "lockstep_http_failed_handshakes_total", "counter", "Clients that TLS was not agreed on with.",
         counts.failed_handshakes);
  append(out, "lockstep_http_requests_under_way", "gauge", "Requests without a reply yet.", counts.under_way);
  append(out, "lockstep_http_event_streams", "gauge", "Streams of events open now.", counts.event_streams);
  append(out, "lockstep_http_body_bytes", "gauge", "Bytes set aside for bodies in memory.", counts.body_bytes_held);
  append_replies(out, counts);
  append_times(out, counts);
  append(out, "lockstep_store_waiting", "gauge", "Requests that wait for the writer or a reader.", workers.waiting());
  append(out, "lockstep_store_commits_total", "counter", "Commits.", workers.counts().commits);
  append(out, "lockstep_store_failed_commits_total", "counter", "Commits that failed.",
         workers.counts().failed_commits);
  append(out, "lockstep_store_writes_total", "counter", "Requests that were part of a commit.",
         workers.counts().written);
  append(out, "lockstep_store_reads_total", "counter", "Requests that read.", workers.counts().read);
  Reply reply;
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  reply.body = std::move(out);
  return reply;
}

}  // namespace lockstep::history::server::http
