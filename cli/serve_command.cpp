// `lockstep serve`: the run history over HTTP.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "history/server/http/service.hpp"

namespace lockstep::cli {

namespace {

namespace http = history::server::http;

struct ServeArguments {
  std::string host = "127.0.0.1";
  int port = 5000;
  std::string workspace;
  std::vector<std::string> allowed_hosts;
  bool insecure = false;
};

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

http::Options options_of(const ServeArguments& arguments) {
  if (arguments.port < 0 || arguments.port > 65535) throw bad_input("--port {}: it must be 0 to 65535", arguments.port);
  http::Options options;
  options.host = arguments.host;
  options.port = arguments.port;
  if (is_loopback(arguments.host)) {
    options.host_names = {"localhost", "127.0.0.1", "[::1]", arguments.host};
    options.host_names.insert(options.host_names.end(), arguments.allowed_hosts.begin(), arguments.allowed_hosts.end());
  } else if (!arguments.insecure) {
    throw bad_input(
        "--host {}: whoever reaches this address could read and write every run, as there are no tokens yet. Listen on "
        "127.0.0.1 and come through ssh -L, or say --insecure",
        arguments.host);
  } else {
    options.host_names = arguments.allowed_hosts;
  }
  return options;
}

int serve(const ServeArguments& arguments) {
  const Workspace workspace =
      arguments.workspace.empty() ? Workspace::find() : Workspace(fs::absolute(arguments.workspace));
  http::Service service(workspace, options_of(arguments), LOCKSTEP_VERSION);
  print_text(fmt::format("Serving {} at {}\nMLFLOW_TRACKING_URI={}\nCtrl-C stops; what was acknowledged is kept.\n",
                         workspace.root().string(), service.url(), service.url()));
  service.run(true);
  return 0;
}

}  // namespace

void add_serve_command(const Command& root) {
  const Command command = root.add("serve", "Serve the run history: MLflow's REST API over this workspace",
                                   "lockstep serve\n"
                                   "lockstep serve --port 0          # any port that is free; it says which\n"
                                   "MLFLOW_TRACKING_URI=http://127.0.0.1:5000 python train.py");
  auto arguments = std::make_shared<ServeArguments>();
  command.option("--host", arguments->host, "HOST", "The address to listen at (127.0.0.1)");
  command.option("-p,--port", arguments->port, "PORT", "The port (5000); 0: one that is free");
  command.option("--workspace", arguments->workspace, "DIR", "The workspace folder (the one that other commands use)");
  command.option("--allow-host", arguments->allowed_hosts, "NAME", "A further name that clients call this server by");
  command.flag("--insecure", arguments->insecure, "Listen beyond this machine, open to whoever comes");
  command.does([arguments] { return serve(*arguments); });
}

}  // namespace lockstep::cli
