// The run-history service over one workspace: MLflow's API, health, version and counts, behind one HTTP server.
#pragma once

#include <memory>
#include <string>

#include "common/run_folder.hpp"
#include "history/server/http/server.hpp"
#include "history/server/upload_folder.hpp"
#include "history/store/values.hpp"

namespace lockstep::history::server::http {

// The history that is served.
struct Served {
  std::string store;  // as open_store takes it; empty: the workspace's
  Survives survives = Survives::process_death;
};

class Service {
 public:
  // Opens (and makes, if need be) the store, and listens. Throws failure for what can't be opened or bound. `further`
  // routes win over our own of the same path.
  Service(const Workspace& workspace, Options options, const Served& served = {}, Routes further = {});
  ~Service();  // what was acknowledged is in the store
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  std::string url() const;
  void run(bool until_signal, const std::function<void()>& when_ready = {});  // Server::run
  void stop();                                                                // from any thread

 private:
  UploadFolder uploads_;
  Router router_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<Server> server_;
  std::string host_;
};

}  // namespace lockstep::history::server::http
