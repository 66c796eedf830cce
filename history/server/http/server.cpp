#include "history/server/http/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "history/server/http/connection.hpp"
#include "history/server/http/crowd.hpp"

namespace lockstep::history::server::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct Server::Inside {
  Inside(Options given, const Router& router, Workers& workers)
      : options(std::move(given)),
        crowd(options.limits.connections.value_or(make_room_for_connections()), options.limits.connections_per_client),
        shared{options,
               router,
               workers,
               counts,
               Budget(options.limits.body_budget, counts.body_bytes_held),
               files,
               {},
               options.tls ? tls_of(*options.tls) : nullptr} {}

  void listen();
  asio::awaitable<void> accept();
  void welcome(tcp::socket socket);
  void refuse(tcp::socket& socket);
  asio::awaitable<void> serve(tcp::socket socket, Crowd::Place place);
  void reload_tls();
  asio::awaitable<void> reload_at_hangups();
  void stop();

  Options options;
  Crowd crowd;
  Counts counts;
  asio::thread_pool files{2};
  asio::io_context io{1};
  Shared shared;
  tcp::acceptor acceptor{io};
  asio::signal_set signals{io};
  asio::signal_set hangups{io};
  asio::steady_timer patience{io};
};

void Server::Inside::listen() {
  if (options.listener) {
    sockaddr_storage address = {};
    socklen_t length = sizeof address;
    if (::getsockname(options.listener.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      throw system_failure("cannot take over a socket");
    }
    acceptor.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), options.listener.release());
    return;
  }
  const std::string place = fmt::format("{}:{}", options.host, options.port);
  try {
    tcp::resolver resolver(io);
    const tcp::endpoint endpoint = resolver.resolve(options.host, std::to_string(options.port)).begin()->endpoint();
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen(4096);
  } catch (const boost::system::system_error& error) {
    throw failure("cannot listen at {}: {}", place, error.code().message());
  }
}

asio::awaitable<void> Server::Inside::accept() {
  while (acceptor.is_open()) {
    error_code refused;
    tcp::socket socket(io);
    co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, refused));
    if (!refused) {
      welcome(std::move(socket));
    } else if (acceptor.is_open()) {  // out of descriptors: some will be free
      ++counts.failed_accepts;
      asio::steady_timer pause(io, std::chrono::milliseconds(50));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, refused));
    }
  }
}

void Server::Inside::welcome(tcp::socket socket) {
  error_code gone;
  const tcp::endpoint client = socket.remote_endpoint(gone);
  if (gone) return;
  if (auto place = crowd.enter(client.address())) {
    asio::co_spawn(io, serve(std::move(socket), std::move(*place)), asio::detached);
  } else {
    refuse(socket);
  }
}

// As far as that takes no time: it is one of many.
void Server::Inside::refuse(tcp::socket& socket) {
  static const std::string_view why = "There are too many connections.\n";
  static const std::string reply = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nRetry-After: 1\r\n"
      "Connection: close\r\n\r\n{}",
      why.size(), why);
  ++counts.refused_connections;
  if (shared.tls) return;
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.send(asio::buffer(reply), 0, ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

// The place goes back after the connection.
asio::awaitable<void> Server::Inside::serve(tcp::socket socket, [[maybe_unused]] Crowd::Place place) {
  Connection connection(shared, std::move(socket));
  co_await connection.serve();
}

// A few kilobytes, once in weeks: no other thread is asked to read them.
void Server::Inside::reload_tls() {
  if (!options.tls) return;
  std::string outcome;
  try {
    shared.tls = tls_of(*options.tls);
    outcome = fmt::format("New connections get the certificate that is now in {}.", options.tls->certificate.string());
  } catch (const Error& error) {
    outcome = fmt::format("The certificate stays as it was: {}", error.what());
  }
  if (options.tell) options.tell(outcome);
}

asio::awaitable<void> Server::Inside::reload_at_hangups() {
  error_code cancelled;
  while (true) {
    co_await hangups.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (cancelled) co_return;
    reload_tls();
  }
}

void Server::Inside::stop() {
  if (shared.stopping) return;
  shared.stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  signals.cancel(ignored);
  hangups.cancel(ignored);
  for (Connection* each : shared.connections) {
    if (each->is_idle()) each->cancel();
  }
  patience.expires_after(options.limits.stop);
  patience.async_wait([this](error_code over) {
    if (over) return;
    for (Connection* each : shared.connections) each->cancel();
  });
}

Server::Server(Options options, const Router& router, Workers& workers)
    : inside_(std::make_unique<Inside>(std::move(options), router, workers)) {
  inside_->listen();
}

Server::~Server() = default;

int Server::port() const { return inside_->acceptor.local_endpoint().port(); }
bool Server::has_tls() const { return inside_->options.tls.has_value(); }
const Counts& Server::counts() const { return inside_->counts; }

void Server::run(bool until_signal, const std::function<void()>& when_ready) {
  if (until_signal) {
    inside_->signals.add(SIGINT);
    inside_->signals.add(SIGTERM);
    inside_->signals.async_wait([this](error_code cancelled, int) {
      if (!cancelled) inside_->stop();
    });
    if (has_tls()) {
      inside_->hangups.add(SIGHUP);
      asio::co_spawn(inside_->io, inside_->reload_at_hangups(), asio::detached);
    }
  }
  asio::co_spawn(inside_->io, inside_->accept(), asio::detached);
  if (when_ready) when_ready();
  while (!inside_->shared.stopping || !inside_->shared.connections.empty()) {
    if (inside_->io.run_one() == 0) break;
  }
}

void Server::stop() {
  asio::post(inside_->io, [this] { inside_->stop(); });
}

void Server::reload_tls() {
  asio::post(inside_->io, [this] { inside_->reload_tls(); });
}

}  // namespace lockstep::history::server::http
