// What the server answers: a table of routes. A handler reads its request on the thread that received it, and gives the
// work that is left to do on a store. Work that writes is done by the one writer, many in one commit; the reply goes
// out when that commit is done. Work that reads is done by one of a few readers.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "history/server/request.hpp"
#include "history/store/store.hpp"

namespace lockstep::history::server {

using Work = std::function<Reply(Store&)>;

enum class Access {
  read,   // work that changes nothing
  write,  // work that may change the store
};
enum class Body { in_memory, to_file };

struct Route {
  Verb verb;
  // "/api/2.0/mlflow/logged-models/{id}": {id} is one part; "/get/{path...}" the rest, maybe empty.
  std::string pattern;
  Access access;
  std::function<Work(const Request&)> handler;  // throws what server/errors.hpp turns into a reply
  Body body = Body::in_memory;
  std::function<void(const Request&)> before_body = {};  // throws for what needs no body to be refused
  std::optional<Scope> asks_for = {};  // of a client, where tokens are; nullopt: as much as `access` says

  Scope scope() const { return asks_for.value_or(access == Access::write ? Scope::write : Scope::read); }
};
using Routes = std::vector<Route>;

// Finds the route of a request. Fixed words win over {id}, and {id} over {path...}.
class Router {
 public:
  void add(Routes routes);
  // Null: no route has this path (`other_verb` says whether one has it with another verb). Fills captured.
  const Route* find(Request& request, bool& other_verb) const;
  const Routes& routes() const { return routes_; }

 private:
  Routes routes_;
  std::map<std::pair<Verb, std::string>, std::size_t> plain_;  // those without {...}: their places in routes_
};

}  // namespace lockstep::history::server
