#include "launcher/tracking/endpoint.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <utility>

#include "common/digest.hpp"
#include "common/error.hpp"

namespace lockstep::tracking {

namespace {
struct Listening {
  Fd socket;
  int port;
};

Listening listen_at_loopback() {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::bind(socket.get(), any, length) != 0 || ::listen(socket.get(), SOMAXCONN) != 0 ||
      ::getsockname(socket.get(), any, &length) != 0) {
    throw system_failure("cannot listen at 127.0.0.1");
  }
  return {std::move(socket), ntohs(address.sin_port)};
}

// An HTTP proxy can't reach this machine's loopback address. Clients read both spellings, some only one of them.
void pass_by_proxies(Environment& added, const Environment& given) {
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    const auto had = given.find(name);
    const std::string value = had == given.end() ? "" : had->second;
    if (value == "*" || ("," + value + ",").find(",127.0.0.1,") != std::string::npos) continue;
    added[name] = value.empty() ? "127.0.0.1" : value + ",127.0.0.1";
  }
}
}  // namespace

Endpoint::Endpoint(const Workspace& workspace, const history::Run& run)
    : workspace_(workspace),
      run_id_(run.run_id),
      experiment_id_(run.experiment_id),
      experiment_name_(run.experiment_name),
      token_(random_hex(40)) {
  if (!can_serve) throw failure("this build of lockstep has no server");
  auto [socket, port] = listen_at_loopback();
  listener_ = std::move(socket);
  port_ = port;
}

Environment Endpoint::variables(const Environment& given, int tunnel) const {
  Environment added{{"MLFLOW_TRACKING_URI", fmt::format("http://127.0.0.1:{}", tunnel > 0 ? tunnel : port_)},
                    {"MLFLOW_TRACKING_TOKEN", token_},
                    {"MLFLOW_RUN_ID", run_id_},
                    {"MLFLOW_EXPERIMENT_ID", experiment_id_},
                    {"MLFLOW_EXPERIMENT_NAME", experiment_name_}};
  for (const char* proxy : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
    if (const auto set = given.find(proxy); set != given.end() && !set->second.empty()) pass_by_proxies(added, given);
  }
  return added;
}

void Endpoint::serve_if_knocked() {
  if (!listener_) return;
  pollfd ready = {listener_.get(), POLLIN, 0};
  if (::poll(&ready, 1, 0) == 1) server_ = serve(workspace_, std::exchange(listener_, Fd()), run_id_, token_);
}

}  // namespace lockstep::tracking
