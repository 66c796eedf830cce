// What MLflow's client reads from the environment about its server.
#include <cstdlib>

#include "common/error.hpp"
#include "history/sink/report/http_client.hpp"

namespace lockstep::history::report {

static std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

static bool boolean(const char* name) {
  std::string value = variable(name);
  for (char& c : value) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (value.empty() || value == "false" || value == "0") return false;
  if (value == "true" || value == "1") return true;
  throw bad_input("{} is '{}'; it may be true, false, 1 or 0", name, value);
}

bool is_server_address(const std::string& uri) { return uri.starts_with("http://") || uri.starts_with("https://"); }

ServerSettings settings_of_environment() {
  ServerSettings settings;
  settings.uri = variable("MLFLOW_TRACKING_URI");
  while (settings.uri.ends_with('/')) settings.uri.pop_back();
  if (!is_server_address(settings.uri)) {
    throw bad_input("MLFLOW_TRACKING_URI ('{}') is no address of a server: it begins with http:// or https://",
                    without_credentials(settings.uri));
  }
  settings.token = variable("MLFLOW_TRACKING_TOKEN");
  settings.username = variable("MLFLOW_TRACKING_USERNAME");
  settings.password = variable("MLFLOW_TRACKING_PASSWORD");
  settings.insecure_tls = boolean("MLFLOW_TRACKING_INSECURE_TLS");
  settings.certificate_path = variable("MLFLOW_TRACKING_SERVER_CERT_PATH");
  return settings;
}

std::string without_credentials(const std::string& uri) {
  const auto scheme = uri.find("://");
  if (scheme == std::string::npos) return uri;
  const auto host = scheme + 3;
  const auto at = uri.substr(host, uri.find('/', host) - host).rfind('@');
  return at == std::string::npos ? uri : uri.substr(0, host) + uri.substr(host + at + 1);
}

}  // namespace lockstep::history::report
