// `lockstep serve`: the run history over HTTP.
#include <fmt/format.h>

#include <memory>

#include "api/mlflow_ui.hpp"
#include "cli/commands.hpp"
#include "cli/mlflow_pages.hpp"
#include "cli/output.hpp"
#include "cli/store_option.hpp"
#include "common/clock.hpp"
#include "common/digest.hpp"
#include "history/server/http/service.hpp"
#include "history/server/mlflow/routes.hpp"
#include "history/store/open_store.hpp"

namespace lockstep::cli {

namespace {

namespace http = history::server::http;

struct ServeArguments {
  std::string host = "127.0.0.1";
  int port = 5000;
  std::string workspace;
  std::string store;
  std::vector<std::string> allowed_hosts;
  std::optional<int> most_per_client;
  std::string tls_certificate;
  std::string tls_key;
  bool require_token = false;
  bool insecure = false;
  bool durable = false;
  bool mlflow_ui = false;
};

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

// Whoever comes from elsewhere needs a token; on this machine only if that is asked for, as with MLflow's own server.
bool asks_for_tokens(const ServeArguments& arguments) {
  return arguments.require_token || (!is_loopback(arguments.host) && !arguments.insecure);
}

std::optional<history::Permit> permit_of(history::Store& store, const std::string& token) {
  const auto found = store.find_token(sha256_hex(token));
  return found ? std::optional(found->permit) : std::nullopt;
}

void check_somebody_can_come_in(const std::string& store) {
  for (const history::AccessToken& each : history::open_store(store)->list_tokens()) {
    if (!history::is_over(each, now_ms())) return;
  }
  throw bad_input(
      "clients would need a token, and there is none that is good: lockstep token create makes one (--insecure serves "
      "whoever comes)");
}

std::optional<http::TlsFiles> tls_files(const ServeArguments& arguments) {
  if (arguments.tls_certificate.empty() != arguments.tls_key.empty())
    throw bad_input("--tls-cert and --tls-key go together: a certificate and its key");
  if (arguments.tls_certificate.empty()) return std::nullopt;
  http::TlsFiles files{arguments.tls_certificate, arguments.tls_key};
  http::tls_of(files);  // throws, before anything is made
  return files;
}

http::Options options_of(const ServeArguments& arguments) {
  if (arguments.port < 0 || arguments.port > 65535) throw bad_input("--port {}: it must be 0 to 65535", arguments.port);
  if (arguments.most_per_client && *arguments.most_per_client < 1)
    throw bad_input("--max-connections-per-client {}: it must be at least 1", *arguments.most_per_client);
  if (arguments.insecure && arguments.require_token)
    throw bad_input("--insecure and --require-token exclude each other");
  http::Options options;
  options.host = arguments.host;
  options.port = arguments.port;
  options.host_names = arguments.allowed_hosts;
  if (is_loopback(arguments.host)) {
    for (const char* name : {"localhost", "127.0.0.1", "[::1]"}) options.host_names.emplace_back(name);
    options.host_names.push_back(arguments.host);
  }
  if (arguments.most_per_client) options.limits.connections_per_client = *arguments.most_per_client;
  if (asks_for_tokens(arguments)) options.gate = permit_of;
  options.tls = tls_files(arguments);
  options.tell = [](const std::string& what) { fmt::print(stderr, "{}\n", what); };
  return options;
}

int serve(const ServeArguments& arguments) {
  const Workspace workspace =
      arguments.workspace.empty() ? Workspace::find() : Workspace(fs::absolute(arguments.workspace));
  http::Options options = options_of(arguments);
  if (!arguments.store.empty()) history::open_store(arguments.store);  // or it ends here, and has made nothing
  workspace.create();
  const std::string store = arguments.store.empty() ? workspace.store_file().string() : arguments.store;
  if (options.gate) check_somebody_can_come_in(store);
  if (!is_loopback(arguments.host) && !options.tls) {
    fmt::print(stderr, "What is sent here travels in clear, {}. Where others can listen, serve with --tls-cert.\n",
               options.gate ? "tokens included" : "and anybody may send it");
  }
  api::Routes routes = api::all_routes(workspace);
  if (arguments.mlflow_ui) {
    for (auto& each : api::mlflow_ui_routes(find_mlflow_pages(), history::server::mlflow::routes(workspace)))
      routes.push_back(std::move(each));
  }
  const auto survives = arguments.durable ? history::Survives::power_loss : history::Survives::process_death;
  http::Service service(workspace, std::move(options), {store, survives}, std::move(routes));
  const std::string served = history::is_postgres(store) ? history::without_password(store) : workspace.root().string();
  service.run(true, [&] {
    const std::string pages = arguments.mlflow_ui ? fmt::format("MLflow's pages: {}/mlflow/\n", service.url()) : "";
    print_text(
        fmt::format("Serving {0} at {1}\n{2}MLFLOW_TRACKING_URI={1}\nCtrl-C stops; what was acknowledged is kept.\n",
                    served, service.url(), pages));
  });
  return 0;
}

}  // namespace

void add_serve_command(const Command& root) {
  const Command command =
      root.add("serve", "Serve the run history: MLflow's REST API over this workspace",
               "lockstep serve\n"
               "lockstep serve --port 0          # any port that is free; it says which\n"
               "lockstep serve --host 0.0.0.0    # for those who have a token (lockstep token create)\n"
               "lockstep serve --store postgresql://lockstep@db/lockstep   # a history that several servers share\n"
               "lockstep serve --mlflow-ui       # MLflow's own web pages, too, at /mlflow/\n"
               "MLFLOW_TRACKING_URI=http://127.0.0.1:5000 python train.py");
  auto arguments = std::make_shared<ServeArguments>();
  command.option("--host", arguments->host, "HOST", "The address to listen at (127.0.0.1)");
  command.option("-p,--port", arguments->port, "PORT", "The port (5000); 0: one that is free");
  command.option("--workspace", arguments->workspace, "DIR", "The workspace folder (the one that other commands use)");
  add_store_option(command, arguments->store);
  command.option("--allow-host", arguments->allowed_hosts, "NAME", "A further name that clients call this server by");
  command.option("--max-connections-per-client", arguments->most_per_client, "N",
                 "Open connections of one address (512; of this machine any number)");
  command.option("--tls-cert", arguments->tls_certificate, "FILE",
                 "Serve https: a certificate in PEM form, and those of who signed it; SIGHUP reads it again");
  command.option("--tls-key", arguments->tls_key, "FILE", "Its private key in PEM form, without a passphrase");
  command.flag("--require-token", arguments->require_token, "Ask for a token on this machine, too");
  command.flag("--insecure", arguments->insecure, "Listen beyond this machine, open to whoever comes");
  command.flag("--mlflow-ui", arguments->mlflow_ui,
               "Show MLflow's own web pages, too, at /mlflow/: those of the mlflow that python3 has");
  command.flag("--durable", arguments->durable, "Acknowledge what would survive a power loss: wait for the disk");
  command.does([arguments] { return serve(*arguments); });
}

}  // namespace lockstep::cli
