// Clients of an MLflow server that do one thing as fast as they can, or at a given rate: the load of
// benchmarks/serve.py.
//
//   http_load --port 5000 --clients 64 --seconds 5 --metrics 100              log-batch of 100 metrics each
//   http_load --port 5000 --clients 64 --seconds 5 --metrics 1 --single       log-metric
//   http_load --port 5000 --clients 64 --seconds 5 --metrics 100 --rate 3000  3,000 requests/s, whether answered or not
//   http_load --port 5000 --clients 64 --seconds 5 --create                   runs/create
//   http_load --port 5000 --clients 8 --fill 10000     10,000 runs with 5 params and 5 metrics: two requests each
//   http_load --port 5000 --clients 8 --seconds 5 --search   the first 100 of these with a metric and a param
//
// One thread; each client has a connection and a run of its own, and one request under way. With --rate a request's
// time counts from when it was due (so a server that falls behind can't hide it). Prints one JSON object: requests/s,
// metrics/s, milliseconds at the median, the 99th percentile and the longest, this program's own share of a CPU. Any
// reply but 200 ends it with 1.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using std::chrono::steady_clock;

namespace {
struct Load {
  int port = 5000;
  int clients = 64;
  double seconds = 5;
  int metrics = 100;  // of a request
  bool single = false;
  bool create = false;
  bool search = false;
  int fill = 0;     // runs of all clients together; 0: this is no filling
  double rate = 0;  // requests/s of all clients; 0: as fast as they can
};

struct Tally {
  std::vector<float> milliseconds;
  int filled = 0;
  std::string failed;
};

http::request<http::string_body> post(const std::string& path, std::string body) {
  http::request<http::string_body> request(http::verb::post, "/api/2.0/mlflow/" + path, 11);
  request.set(http::field::host, "127.0.0.1");
  request.set(http::field::content_type, "application/json");
  request.body() = std::move(body);
  request.prepare_payload();
  return request;
}

// Steps have 12 digits from the first on, so that the next request is the last one with other digits.
constexpr std::int64_t first_step = 100'000'000'000;

std::string create_body(int number) {
  return fmt::format(R"({{"experiment_id":"0","start_time":{}}})", 1'700'000'000'000 + 1000 * number);
}
constexpr const char* search_body =
    R"({"experiment_ids":["0"],"filter":"metrics.loss < 0.3 and params.rate = '3'","max_results":100})";

// One run of ten has the rate that is searched for, and three of ten the loss.
std::string body_of_fill(int number, const std::string& run_id) {
  nlohmann::json metrics = nlohmann::json::array();
  nlohmann::json params = {{{"key", "rate"}, {"value", std::to_string(number % 10)}}};
  for (int i = 0; i < 5; ++i) {
    metrics.push_back({{"key", i == 0 ? "loss" : fmt::format("metric-{}", i)},
                       {"value", number / 10 % 10 / 10.0},
                       {"timestamp", 1'700'000'000'000},
                       {"step", 1}});
    if (i > 0) params.push_back({{"key", fmt::format("param-{}", i)}, {"value", fmt::format("{}", number)}});
  }
  return nlohmann::json{{"run_id", run_id}, {"metrics", metrics}, {"params", params}}.dump();
}

std::string body_of(const Load& load, const std::string& run_id) {
  nlohmann::json metrics = nlohmann::json::array();
  for (int i = 0; i < load.metrics; ++i) {
    metrics.push_back({{"key", fmt::format("metric-{}", i % 10)},
                       {"value", 0.5 + i},
                       {"timestamp", 1'700'000'000'000},
                       {"step", first_step}});
  }
  if (!load.single) return nlohmann::json{{"run_id", run_id}, {"metrics", metrics}}.dump();
  metrics[0]["run_id"] = run_id;
  return metrics[0].dump();
}

void set_steps(std::string& body, std::int64_t step) {
  const std::string name = "\"step\":";
  for (auto at = body.find(name); at != std::string::npos; at = body.find(name, at + name.size())) {
    std::to_chars(body.data() + at + name.size(), body.data() + at + name.size() + 12, step++);
  }
}

class Client {
 public:
  Client(asio::io_context& io, const Load& load, Tally& tally) : load_(load), tally_(tally), stream_(io), timer_(io) {}

  asio::awaitable<void> run(steady_clock::time_point begin, steady_clock::duration interval) {
    try {
      if (load_.fill > 0) {
        co_await fill();
      } else {
        co_await prepare();
        co_await send_until(begin, interval);
      }
    } catch (const std::exception& error) {
      tally_.failed = error.what();
    }
  }

 private:
  asio::awaitable<void> connect() {
    const tcp::endpoint server(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(load_.port));
    co_await stream_.async_connect(server, asio::use_awaitable);
    stream_.socket().set_option(tcp::no_delay(true));
  }

  asio::awaitable<std::string> create_run(int number) {
    auto create = post("runs/create", create_body(number));
    const std::string reply = co_await exchange(create);
    co_return nlohmann::json::parse(reply).at("run").at("info").at("run_id").get<std::string>();
  }

  asio::awaitable<void> fill() {
    co_await connect();
    while (tally_.filled < load_.fill) {
      const int number = tally_.filled++;
      const auto begin = steady_clock::now();
      const std::string run_id = co_await create_run(number);
      auto batch = post("runs/log-batch", body_of_fill(number, run_id));
      co_await exchange(batch);
      tally_.milliseconds.push_back(std::chrono::duration<float, std::milli>(steady_clock::now() - begin).count());
    }
  }

  asio::awaitable<void> prepare() {
    co_await connect();
    if (load_.create || load_.search) {
      request_ = load_.create ? post("runs/create", create_body(0)) : post("runs/search", search_body);
      co_return;
    }
    const std::string run_id = co_await create_run(0);
    request_ = post(load_.single ? "runs/log-metric" : "runs/log-batch", body_of(load_, run_id));
  }

  asio::awaitable<void> send_until(steady_clock::time_point begin, steady_clock::duration interval) {
    const auto end =
        begin + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(load_.seconds));
    std::int64_t step = first_step;
    timer_.expires_at(begin);
    co_await timer_.async_wait(asio::use_awaitable);
    for (auto due = begin; due<end; due = interval.count()> 0 ? due + interval : steady_clock::now()) {
      if (due > steady_clock::now()) {
        timer_.expires_at(due);
        co_await timer_.async_wait(asio::use_awaitable);
      }
      set_steps(request_.body(), step);
      step += load_.metrics;
      co_await exchange(request_);
      tally_.milliseconds.push_back(std::chrono::duration<float, std::milli>(steady_clock::now() - due).count());
    }
  }

  asio::awaitable<std::string> exchange(http::request<http::string_body>& request) {
    stream_.expires_after(std::chrono::seconds(60));
    co_await http::async_write(stream_, request, asio::use_awaitable);
    http::response<http::string_body> response;
    co_await http::async_read(stream_, buffer_, response, asio::use_awaitable);
    if (response.result() != http::status::ok) throw std::runtime_error(response.body());
    co_return response.body();
  }

  const Load& load_;
  Tally& tally_;
  beast::tcp_stream stream_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
};

Load parse(int argc, char** argv) {
  Load load;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--single") {
      load.single = true;
      continue;
    }
    if (name == "--create" || name == "--search") {
      (name == "--create" ? load.create : load.search) = true;
      continue;
    }
    if (i + 1 == argc) throw std::invalid_argument(name + " needs a value");
    const double value = std::stod(argv[++i]);
    if (name == "--port")
      load.port = static_cast<int>(value);
    else if (name == "--clients")
      load.clients = static_cast<int>(value);
    else if (name == "--seconds")
      load.seconds = value;
    else if (name == "--metrics")
      load.metrics = static_cast<int>(value);
    else if (name == "--fill")
      load.fill = static_cast<int>(value);
    else if (name == "--rate")
      load.rate = value;
    else
      throw std::invalid_argument("unknown option " + name);
  }
  return load;
}

double cpu_seconds() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int run(const Load& load) {
  asio::io_context io(1);
  Tally tally;
  std::vector<std::unique_ptr<Client>> clients;
  const auto begin =
      steady_clock::now() + std::chrono::milliseconds(300 + 20 * load.clients);  // all have a run by then
  const auto interval =
      load.rate > 0
          ? std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(load.clients / load.rate))
          : steady_clock::duration::zero();
  for (int i = 0; i < load.clients; ++i) {
    clients.push_back(std::make_unique<Client>(io, load, tally));
    asio::co_spawn(io, clients.back()->run(begin + interval * i / load.clients, interval), asio::detached);
  }
  io.run();
  auto& times = tally.milliseconds;
  if (!tally.failed.empty() || times.empty()) {
    fmt::print(stderr, "a request failed: {}\n", tally.failed);
    return 1;
  }
  const double seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
  std::sort(times.begin(), times.end());
  const auto count = static_cast<double>(times.size());
  fmt::print("{}\n", nlohmann::json{{"requests_per_s", count / seconds},
                                    {"metrics_per_s", count * load.metrics / seconds},
                                    {"median_ms", times[times.size() / 2]},
                                    {"p99_ms", times[times.size() * 99 / 100]},
                                    {"longest_ms", times.back()},
                                    {"own_cpu_share", cpu_seconds() / seconds}}
                         .dump());
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& error) {
    fmt::print(stderr, "http_load: {}\n", error.what());
    return 2;
  }
}
