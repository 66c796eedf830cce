// The tracking endpoint of one run: MLflow's REST API over the workspace's history, at a loopback port and with a token
// of its own, which may change that run and those below it. Its supervisor opens it, so that a script which logs with
// `mlflow` needs no server and no setting. What it acknowledges is in the store.
//
// Most runs never log this way. So it only listens at first, and becomes a server (threads, connections to the store)
// when somebody knocks.
#pragma once

#include <memory>
#include <string>

#include "common/file.hpp"
#include "common/process.hpp"
#include "common/run_folder.hpp"
#include "history/store/store.hpp"

namespace lockstep::tracking {

class Server {
 public:
  virtual ~Server() = default;  // ends when what was under way is answered
};
// Serves clients of `listener`, in threads of its own. Throws failure.
std::unique_ptr<Server> serve(const Workspace& workspace, Fd listener, const std::string& run_id,
                              const std::string& token);
extern const bool can_serve;  // false in builds without a server

class Endpoint {
 public:
  Endpoint(const Workspace& workspace, const history::Run& run);  // listens; throws failure if it can't

  // What the run's processes need to find it: MLFLOW_TRACKING_URI, _TOKEN, MLFLOW_RUN_ID, MLFLOW_EXPERIMENT_ID, _NAME;
  // and no_proxy, where `given` has a proxy that would be asked for this machine's own address. `tunnel`: the port of
  // their loopback that leads here, where they are on other machines (0: they are on this one).
  Environment variables(const Environment& given, int tunnel = 0) const;
  int port() const { return port_; }  // of this machine's loopback

  int knocked_fd() const { return listener_.get(); }  // readable: somebody knocks; < 0: it is served
  void serve_if_knocked();                            // throws failure

 private:
  Workspace workspace_;
  std::string run_id_;
  std::string experiment_id_;
  std::string experiment_name_;
  std::string token_;
  int port_ = 0;
  Fd listener_;
  std::unique_ptr<Server> server_;
};

}  // namespace lockstep::tracking
