#include "api/log_files.hpp"
#include "api/parameters.hpp"
#include "api/replies.hpp"

namespace lockstep::api {

static Json logs_json(const std::vector<LogFile>& logs) {
  Json all = Json::array();
  for (const LogFile& each : logs) all.push_back({{"name", each.name}, {"bytes", each.bytes}});
  return all;
}

Routes log_routes(const Workspace& workspace) {
  const auto list = [workspace](const Request& request) -> Work {
    const Parameters none(request, {});
    return [workspace, name = request.captured.at(0)](Store& store) {
      store.get_run(name);  // not_found
      return json_reply({{"logs", logs_json(list_logs(workspace.run(name)))}});
    };
  };
  const auto read = [workspace](const Request& request) -> Work {
    const Parameters given(request, {"offset", "limit"});
    const std::int64_t offset = given.number("offset", 0);
    const std::int64_t limit = given.number("limit", 256 << 10, 4, 4 << 20);
    return [=, name = request.captured.at(0), log = request.captured.at(1)](Store& store) {
      store.get_run(name);
      const LogPart part = read_log(workspace.run(name), log, offset, limit);
      return json_reply({{"name", log},
                         {"offset", part.offset},
                         {"next_offset", part.next_offset},
                         {"bytes", part.bytes},
                         {"text", part.text}});
    };
  };
  const auto search = [workspace](const Request& request) -> Work {
    const Parameters given(request, {"log", "text", "max_results"});
    const int most = static_cast<int>(given.number("max_results", 100, 1, 10'000));
    if (given.text("text").empty()) throw bad_input("text is missing: what is looked for");
    return [=, name = request.captured.at(0), log = given.text("log"), text = given.text("text")](Store& store) {
      store.get_run(name);
      const LogMatches found = search_log(workspace.run(name), log, text, most);
      Json matches = Json::array();
      for (const auto& each : found.matches) {
        matches.push_back({{"line", each.line}, {"offset", each.offset}, {"text", each.text}});
      }
      return json_reply({{"matches", matches}, {"more", found.more}});
    };
  };
  return {get("/api/v1/jobs/{name}/logs", list), get("/api/v1/jobs/{name}/logs/{log...}", read),
          get("/api/v1/jobs/{name}/log-search", search)};
}

}  // namespace lockstep::api
