#include "launcher/entrypoint/scheduled_events.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include "common/error.hpp"

namespace lockstep::entrypoint {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {
constexpr auto patience = std::chrono::seconds(2);
constexpr std::size_t longest_reply = 1 << 20;

bool ends_what_runs(const std::string& type) {
  constexpr std::string_view types[] = {"Preempt", "Reboot", "Redeploy", "Terminate"};  // not Freeze: a few seconds
  return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

bool concerns(const nlohmann::json& event, const std::string& machine) {
  const auto machines = event.find("Resources");
  if (machine.empty() || machines == event.end() || machines->empty()) return true;
  return std::find(machines->begin(), machines->end(), machine) != machines->end();
}

// One request, each step of which calls the next; the time for all of them ends with the stream's.
class Exchange {
 public:
  Exchange(const MetadataService& service, const std::string& path) : request_(http::verb::get, path, 11) {
    request_.set(http::field::host, service.host);
    request_.set("Metadata", "true");
    parser_.body_limit(longest_reply);
    stream_.expires_after(patience);
    boost::system::error_code error;
    const auto address = asio::ip::make_address(service.host, error);
    if (error) return;
    stream_.async_connect({address, static_cast<unsigned short>(std::stoi(service.port))},
                          [this](boost::system::error_code problem) {
                            if (!problem) write();
                          });
  }

  std::optional<std::string> body() {
    io_.run();
    if (!parser_.is_done() || parser_.get().result() != http::status::ok) return std::nullopt;
    return parser_.get().body();
  }

 private:
  void write() {
    http::async_write(stream_, request_, [this](boost::system::error_code problem, std::size_t) {
      if (!problem) http::async_read(stream_, buffer_, parser_, [](boost::system::error_code, std::size_t) {});
    });
  }

  asio::io_context io_;
  beast::tcp_stream stream_{io_};
  http::request<http::empty_body> request_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
};
}  // namespace

std::vector<Notice> notices_in(std::string_view document, const std::string& machine) {
  std::vector<Notice> notices;
  try {
    const auto json = nlohmann::json::parse(document);
    for (const auto& event : json.at("Events")) {
      Notice notice{event.at("EventId"), event.at("EventType"), event.value("NotBefore", "")};
      if (ends_what_runs(notice.type) && concerns(event, machine)) notices.push_back(std::move(notice));
    }
  } catch (const nlohmann::json::exception& error) {
    throw failure("this is no document of scheduled events: {}", error.what());
  }
  return notices;
}

std::optional<MetadataService> metadata_service(const Environment& environment) {
  const std::string own = value_of(environment, "LOCKSTEP_METADATA_SERVICE");
  if (!own.empty()) {
    const std::size_t colon = own.rfind(':');
    const std::string port = colon == std::string::npos ? "80" : own.substr(colon + 1);
    const bool is_port = !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), ::isdigit);
    if (!is_port || std::stoi(port) > 65535) throw bad_input("LOCKSTEP_METADATA_SERVICE='{}' is no HOST:PORT", own);
    return MetadataService{own.substr(0, colon), port};
  }
  for (const char* azures : {"AZUREML_RUN_ID", "AZ_BATCH_NODE_ID", "AZ_BATCH_MASTER_NODE"}) {
    if (environment.contains(azures) && !environment.contains("LOCKSTEP_RUN_ID")) return MetadataService{};
  }
  return std::nullopt;
}

std::optional<std::string> ask(const MetadataService& service, const std::string& path) {
  return Exchange(service, path).body();
}

std::vector<Notice> ScheduledEvents::new_notices() {
  if (!machine_) machine_ = ask(service_, "/metadata/instance/compute/name?api-version=2021-02-01&format=text");
  const auto document = ask(service_, "/metadata/scheduledevents?api-version=2020-07-01");
  std::vector<Notice> fresh;
  if (!document) return fresh;
  for (Notice& each : notices_in(*document, machine_.value_or(""))) {
    if (known_.insert(each.id).second) fresh.push_back(std::move(each));
  }
  return fresh;
}

}  // namespace lockstep::entrypoint
