#include <algorithm>

#include "api/parameters.hpp"
#include "api/replies.hpp"
#include "history/server/json_text.hpp"

namespace lockstep::api {

using history::server::JsonText;

static constexpr std::size_t most_curves = 100;  // of one reply

static Work list_metrics(const Request& request) {
  const Parameters given(request, {"contains", "max_results", "page_token"});
  const int most = static_cast<int>(given.number("max_results", 200, 1, 1000));
  return [=, name = request.captured.at(0), part = given.text("contains"),
          token = given.text("page_token")](Store& store) {
    const history::LatestPage page = store.latest_page(name, part, most, token);
    Json metrics = Json::array();
    for (const auto& each : page.metrics) {
      metrics.push_back({{"key", each.key},
                         {"value", number_json(each.value)},
                         {"step", each.step},
                         {"timestamp", each.timestamp_ms}});
    }
    Json reply{{"metrics", metrics}, {"total", page.total}};
    if (!page.next_page_token.empty()) reply["next_page_token"] = page.next_page_token;
    return json_reply(reply);
  };
}

static void write(JsonText& out, const std::string& key, const history::Curve& curve) {
  out.begin_object();
  out.member("key", key);
  out.key("points");
  out.begin_array();
  for (const auto& point : curve.points) {
    out.begin_array();
    out.value(point.step);
    out.value(point.timestamp_ms);
    out.value(point.value);
    out.end_array();
  }
  out.end_array();
  out.member("total", curve.total);
  out.member("sampled", curve.total > static_cast<std::int64_t>(curve.points.size()));
  out.end_object();
}

static Work curves(const Request& request) {
  const Parameters given(request, {"axis", "from", "to", "max_points"}, "key");
  const std::vector<std::string> keys = given.all("key");
  if (keys.empty()) throw bad_input("key is missing: the metric whose curve it is; it may come several times");
  if (keys.size() > most_curves) throw bad_input("{} curves are asked for; at most {}", keys.size(), most_curves);
  history::CurveQuery query;
  const std::string axis = given.text("axis");
  if (!axis.empty() && axis != "step" && axis != "time") throw bad_input("axis is '{}'; it is step or time", axis);
  query.axis = axis == "time" ? history::CurveAxis::time : history::CurveAxis::step;
  query.from = given.number("from", query.from);
  query.to = given.number("to", query.to);
  query.max_points = static_cast<int>(given.number("max_points", 1000, 4, 25'000));
  return [=, name = request.captured.at(0)](Store& store) {
    JsonText out;
    out.begin_object();
    out.key("curves");
    out.begin_array();
    for (const std::string& key : keys) write(out, key, store.curve(name, key, query));
    out.end_array();
    out.end_object();
    Reply reply;
    reply.body = out.take();
    return reply;
  };
}

Routes metric_routes() {
  return {get("/api/v1/jobs/{name}/metrics", list_metrics), get("/api/v1/jobs/{name}/curves", curves)};
}

}  // namespace lockstep::api
