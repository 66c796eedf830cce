#include <algorithm>
#include <set>

#include "history/server/mlflow/entities.hpp"
#include "history/server/mlflow/existing_run.hpp"
#include "history/server/mlflow/replies.hpp"
#include "history/server/mlflow/routes.hpp"

namespace lockstep::history::server::mlflow {

static constexpr int points_of_a_curve = 2500;  // of one run, for one picture
static constexpr int points_of_a_page = 25'000;
static constexpr std::size_t runs_of_a_request = 100;

static Reply metrics_reply(const MetricPage& page) { return list_reply("metrics", page.metrics, page.next_page_token); }

// Without max_results all of it, as MLflow does.
static Work get_history(const Request& request) {
  const Fields fields(request);
  const auto most = fields.integer("max_results");
  if (most && *most < 1) {
    throw invalid_parameter("Invalid value {} for parameter 'max_results' supplied. It must be a positive integer.",
                            *most);
  }
  return [id = run_id_of(fields), key = fields.required_text("metric_key"), token = fields.text("page_token"),
          most](Store& store) {
    return with_run(id, [&] {
      if (!most && token.empty()) return metrics_reply({store.metric_history(id, key), ""});
      const auto count = static_cast<int>(std::min<std::int64_t>(most.value_or(points_of_a_page), points_of_a_page));
      return metrics_reply(store.metric_history_page(id, key, count, token));
    });
  };
}

static void write_with_run(JsonText& out, const Metric& metric, const std::string& run_id) {
  out.begin_object();
  out.member("key", std::string_view(metric.key));
  out.member("value", metric.value);
  out.member("timestamp", metric.timestamp_ms);
  out.member("step", metric.step);
  out.member("run_id", std::string_view(run_id));
  out.end_object();
}

struct Interval {
  std::vector<std::string> run_ids;
  std::string key;
  std::optional<std::int64_t> first;
  std::optional<std::int64_t> last;
  int most = points_of_a_curve;
};

static Interval interval_of(const Fields& fields) {
  Interval wanted{.run_ids = fields.texts("run_ids"),
                  .key = {},
                  .first = fields.integer("start_step"),
                  .last = fields.integer("end_step")};
  if (wanted.run_ids.empty()) missing_value("run_ids");
  if (wanted.run_ids.size() > runs_of_a_request) {
    throw invalid_parameter(
        "GetMetricHistoryBulkInterval request must specify at most {} run_ids. Received {} run_ids.", runs_of_a_request,
        wanted.run_ids.size());
  }
  wanted.key = fields.required_text("metric_key");
  const std::int64_t most = fields.integer("max_results").value_or(points_of_a_curve);
  if (most < 1 || most > points_of_a_curve) {
    throw invalid_parameter("max_results must be between 1 and {}.", points_of_a_curve);
  }
  wanted.most = static_cast<int>(most);
  if (wanted.first.has_value() != wanted.last.has_value()) {
    throw invalid_parameter("If either start step or end step are specified, both must be specified.");
  }
  if (wanted.first && *wanted.first > *wanted.last) {
    throw invalid_parameter("end_step must be greater than start_step. Found start_step={} and end_step={}.",
                            *wanted.first, *wanted.last);
  }
  return wanted;
}

static Work get_interval(const Request& request) {
  return [wanted = interval_of(Fields(request))](Store& store) {
    JsonText out;
    out.begin_object();
    out.key("metrics");
    out.begin_array();
    for (const std::string& run_id : wanted.run_ids) {
      with_run(run_id, [&] {
        for (const Metric& each : store.metric_interval(run_id, wanted.key, wanted.first, wanted.last, wanted.most)) {
          write_with_run(out, each, run_id);
        }
        return Reply();
      });
    }
    out.end_array();
    out.end_object();
    Reply reply;
    reply.body = out.take();
    return reply;
  };
}

// What MLflow's own page asks for: the histories of some runs, one after the other, cut at max_results.
static Work get_bulk(const Request& request) {
  std::set<std::string> runs;
  for (const auto& [key, value] : request.query) {
    if (key == "run_id") runs.insert(value);
  }
  const std::string* key = request.query_value("metric_key");
  if (runs.empty()) throw invalid_parameter("GetMetricHistoryBulk request must specify at least one run_id.");
  if (runs.size() > runs_of_a_request) {
    throw invalid_parameter("GetMetricHistoryBulk request cannot specify more than {} run_ids. Received {} run_ids.",
                            runs_of_a_request, runs.size());
  }
  if (key == nullptr) throw invalid_parameter("GetMetricHistoryBulk request must specify a metric_key.");
  const auto most =
      std::clamp<std::int64_t>(Fields(request).integer("max_results").value_or(points_of_a_page), 1, points_of_a_page);
  return [runs = std::move(runs), key = *key, most](Store& store) {
    return object_reply([&](JsonText& out) {
      out.key("metrics");
      out.begin_array();
      std::int64_t left = most;
      for (const std::string& run_id : runs) {
        if (left == 0) break;
        with_run(run_id, [&] {
          for (const Metric& each : store.metric_history_page(run_id, key, static_cast<int>(left), "").metrics) {
            write_with_run(out, each, run_id);
            --left;
          }
          return Reply();
        });
      }
      out.end_array();
    });
  };
}

Routes metric_routes() {
  Routes routes;
  add_route(routes, Verb::get, "metrics/get-history", Access::read, get_history);
  add_route(routes, Verb::get, "metrics/get-history-bulk-interval", Access::read, get_interval);
  add_route(routes, Verb::get, "metrics/get-history-bulk", Access::read, get_bulk);
  return routes;
}

}  // namespace lockstep::history::server::mlflow
