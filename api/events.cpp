// What happens to a run, as server-sent events.
#include <memory>

#include "api/log_files.hpp"
#include "api/parameters.hpp"
#include "api/replies.hpp"

namespace lockstep::api {

namespace {

// What one listener was told. `next` is called by one reader at a time.
class Watch {
 public:
  Watch(Workspace workspace, std::string name) : workspace_(std::move(workspace)), name_(std::move(name)) {}

  std::optional<std::string> next(Store& store) {
    if (ended_) return std::nullopt;
    events_.clear();
    const history::Run run = store.get_run(name_);
    ended_ = history::is_terminal(run.state);
    if (state_ != run.state) say("job", job_json(run, workspace_));
    state_ = run.state;
    look_at_logs();
    if (std::string mark = store.metrics_mark(name_); mark != mark_) {
      say("metrics", {{"changed", true}});
      mark_ = std::move(mark);
    }
    if (ended_) say("end", Json::object());
    return events_;
  }

 private:
  void say(const char* event, const Json& data) {
    events_ += fmt::format("event: {}\ndata: {}\n\n", event, text_of(data));
  }

  void look_at_logs() {
    std::vector<LogFile> logs = list_logs(workspace_.run(name_));
    Json grown = Json::array();
    for (const LogFile& each : logs) {
      if (std::find(logs_.begin(), logs_.end(), each) != logs_.end()) continue;
      grown.push_back({{"name", each.name}, {"bytes", each.bytes}});
    }
    if (!grown.empty()) say("logs", {{"logs", grown}});
    logs_ = std::move(logs);
  }

  Workspace workspace_;
  std::string name_;
  std::optional<history::RunState> state_;
  std::vector<LogFile> logs_;
  std::string mark_;
  bool ended_ = false;
  std::string events_;
};

}  // namespace

Routes event_routes(const Workspace& workspace) {
  const auto events = [workspace](const Request& request) -> Work {
    const Parameters none(request, {});
    return [workspace, name = request.captured.at(0)](Store& store) {
      store.get_run(name);  // not_found, before anything is sent
      Reply reply;
      reply.content_type = "text/event-stream";
      const auto watch = std::make_shared<Watch>(workspace, name);
      reply.events.emplace();
      reply.events->next = [watch](Store& now) { return watch->next(now); };
      return reply;
    };
  };
  return {get("/api/v1/jobs/{name}/events", events)};
}

}  // namespace lockstep::api
