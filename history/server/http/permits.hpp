// What the bearers of tokens may do, as it was found out a moment ago: a client that logs a thousand times a second
// needs no thousand look-ups, and one whose token is deleted is out a second later. For the network thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "history/store/tokens.hpp"

namespace lockstep::history::server::http {

class Permits {
 public:
  std::optional<Permit> known(const std::string& token);  // nullopt: ask whoever knows
  void remember(const std::string& token, const Permit& permit);

 private:
  using Clock = std::chrono::steady_clock;
  struct Known {
    Permit permit;
    Clock::time_point until;
  };
  std::unordered_map<std::string, Known> known_;
};

// The token of "Bearer <token>", or the password of "Basic <base64 of user:password>", as browsers and MLflow's client
// (MLFLOW_TRACKING_PASSWORD) send it; empty: it is neither.
std::string bearer_of(std::string_view authorization);

}  // namespace lockstep::history::server::http
