// Requests to a tracking server, one at a time, over libcurl.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/curl_library.hpp"

namespace lockstep::history::report {

// How a server is reached, under the names that MLflow's client gives it.
struct ServerSettings {
  std::string uri;       // MLFLOW_TRACKING_URI: http or https, without a slash at its end
  std::string token;     // MLFLOW_TRACKING_TOKEN
  std::string username;  // MLFLOW_TRACKING_USERNAME, _PASSWORD: go before the token
  std::string password;
  bool insecure_tls = false;     // MLFLOW_TRACKING_INSECURE_TLS: any certificate will do
  std::string certificate_path;  // MLFLOW_TRACKING_SERVER_CERT_PATH: a file, or a folder, of those that may sign one
  int connect_s = 10;
  int total_s = 60;  // for a request and its reply
};

ServerSettings settings_of_environment();        // throws bad_input for what is no http(s) address or no boolean
bool is_server_address(const std::string& uri);  // http or https: MLflow's client takes others, too
std::string without_credentials(const std::string& uri);

struct HttpReply {
  long status = 0;        // 0: no reply came; `problem` says why
  int retry_after_s = 0;  // what the server asks for; 0: nothing
  bool was_sent = true;   // false: the server certainly has nothing of the request
  std::string body;
  std::string problem;
};

class HttpClient {
 public:
  // `given_up` is asked about once a second while a request is under way; true ends it at once.
  HttpClient(ServerSettings settings, std::function<bool()> given_up);

  HttpReply get(const std::string& path);
  HttpReply post(const std::string& path, const std::string& json);
  const ServerSettings& settings() const { return settings_; }

 private:
  struct Closer {
    void operator()(CURL* curl) const;
  };
  HttpReply exchange(const std::string& path, const std::string* json);
  void set_server();

  ServerSettings settings_;
  std::function<bool()> given_up_;
  std::unique_ptr<CURL, Closer> curl_;
};

}  // namespace lockstep::history::report
