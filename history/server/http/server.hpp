// The HTTP server: one thread for all connections, the workers' threads for everything that touches the store or a
// disk. A connection has one request at a time under way, so its clients' speed bounds what is kept in memory; beyond
// `body_budget` bytes of bodies further requests wait before theirs is read.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/file.hpp"
#include "history/server/http/tls.hpp"
#include "history/server/route.hpp"
#include "history/server/workers.hpp"

namespace lockstep::history::server::http {

struct Limits {
  std::uint32_t header_bytes = 32 * 1024;
  std::uint64_t body_bytes = 16 * 1024 * 1024;               // of bodies in memory
  std::uint64_t file_bytes = std::uint64_t{1} << 40;         // of bodies to files
  std::uint64_t body_budget = std::uint64_t{256} << 20;      // of all bodies in memory together
  std::optional<std::uint64_t> connections;                  // nullopt: as many as there can be descriptors for
  std::optional<std::uint64_t> connections_per_client;       // nullopt: 512, and any number of this machine's own
  std::chrono::seconds idle = std::chrono::seconds(300);     // between two requests
  std::chrono::seconds header = std::chrono::seconds(20);    // from its first byte to its end
  std::chrono::seconds progress = std::chrono::seconds(30);  // for each piece of a body
  std::chrono::milliseconds alive{15'000};                   // between two signs of life of a stream of events
  std::chrono::seconds stop = std::chrono::seconds(20);      // for requests under way when we stop
};

// What the bearer of a token may do; nullopt: nothing, nobody knows it. Called on a reader's thread.
using Gate = std::function<std::optional<Permit>(Store&, const std::string& token)>;

struct Options {
  std::string host = "127.0.0.1";
  int port = 5000;                      // 0: one that is free
  Fd listener;                          // a socket that listens already, instead of host and port
  Gate gate;                            // empty: whoever comes may do everything
  std::vector<std::string> host_names;  // that clients may call us by; empty: any
  fs::path uploads;                     // where bodies go that become files
  Limits limits;
  std::optional<TlsFiles> tls;
  std::function<void(const std::string&)> tell;  // whoever runs the server, of what happens meanwhile; may be empty
};

struct Counts {
  std::atomic<std::uint64_t> connections = 0;  // open now
  std::atomic<std::uint64_t> accepted = 0;
  std::atomic<std::uint64_t> refused_connections = 0;  // that were too many
  std::atomic<std::uint64_t> failed_accepts = 0;       // mostly for want of descriptors
  std::atomic<std::uint64_t> failed_handshakes = 0;
  std::atomic<std::uint64_t> under_way = 0;  // requests
  std::atomic<std::uint64_t> event_streams = 0;
  std::atomic<std::uint64_t> body_bytes_held = 0;
  std::atomic<std::uint64_t> replies[6] = {};  // by the first digit of their status
  static constexpr double seconds_up_to[] = {0.001, 0.005, 0.02, 0.1, 0.5, 2, 10};
  // Replies, by how long they took; the last: longer.
  std::atomic<std::uint64_t> took[std::size(seconds_up_to) + 1] = {};
  std::atomic<std::uint64_t> microseconds = 0;  // that all of them took
};

class Server {
 public:
  // Binds and listens; failure if it can't. `routes` and `workers` must outlive it.
  Server(Options options, const Router& routes, Workers& workers);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  bool has_tls() const;
  const Counts& counts() const;
  // Until stop() or, if asked for, SIGINT or SIGTERM. Ends when every request that was under way has its reply, or
  // limits.stop is over. `when_ready` is called when a signal would be heard: who is told of us may send one at once.
  void run(bool until_signal, const std::function<void()>& when_ready = {});
  void stop();  // from any thread
  // Connections to come get what the files of options.tls hold now; if that is no good, what they held before, and
  // options.tell says so. Also at SIGHUP, if run() is until a signal. From any thread.
  void reload_tls();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace lockstep::history::server::http
