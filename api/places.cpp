// The workspace, its experiments, what its jobs run on, and this API's own description.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>

#include "api/embedded.hpp"
#include "api/parameters.hpp"
#include "api/replies.hpp"
#include "common/clock.hpp"
#include "launcher/compute/local.hpp"

namespace lockstep::api {

static std::vector<history::Run> active_jobs(Store& store) {
  history::RunQuery query;
  query.only_unfinished = true;
  return store.list_runs(query).runs;
}

static std::string lower_case(std::string text) {  // ASCII's letters
  for (char& each : text) each = each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
  return text;
}

// Those that saw something last come first.
static Work experiments(const Request& request) {
  const Parameters given(request, {"contains", "max_results"});
  const auto most = static_cast<std::size_t>(given.number("max_results", 100, 1, 10'000));
  return [part = lower_case(given.text("contains")), most](Store& store) {
    std::map<std::string, history::Activity> activity;
    for (auto& each : store.activity()) activity.emplace(each.experiment_id, each);
    std::vector<history::Experiment> found = store.list_experiments(history::View::active_only);
    std::erase_if(found, [&](const auto& each) { return lower_case(each.name).find(part) == std::string::npos; });
    const auto newest = [&](const auto& each) {
      return std::max(activity[each.experiment_id].last_start_ms, each.created_ms);
    };
    std::ranges::stable_sort(found, std::greater(), newest);
    Json list = Json::array();
    for (const auto& each : found) {
      if (list.size() == most) break;
      const history::Activity& of = activity[each.experiment_id];
      list.push_back({{"experiment_id", each.experiment_id},
                      {"name", each.name},
                      {"runs", of.runs},
                      {"active_runs", of.unfinished},
                      {"last_start_time", of.last_start_ms == 0 ? Json(nullptr) : Json(iso8601(of.last_start_ms))}});
    }
    return json_reply({{"experiments", std::move(list)}, {"total", found.size()}});
  };
}

static std::int64_t memory_mb() { return ::sysconf(_SC_PHYS_PAGES) / 1024 * ::sysconf(_SC_PAGE_SIZE) / 1024; }

static int gpu_count() {
  std::error_code none;
  int count = 0;
  for (fs::directory_iterator each("/proc/driver/nvidia/gpus", none), end; !none && each != end; each.increment(none)) {
    ++count;
  }
  return count;
}

static Json compute_json(Store& store) {
  const plan::LocalCompute machine = compute::this_machine();
  Json jobs = Json::array();
  for (const history::Run& run : active_jobs(store)) {
    if (!run.reported) jobs.push_back(run.run_id);
  }
  const std::size_t active = jobs.size();
  Json node{{"name", machine.host_name}, {"state", active > 0 ? "running" : "idle"},
            {"cpus", machine.slots},     {"memory_mb", memory_mb()},
            {"gpus", gpu_count()},       {"jobs", std::move(jobs)}};
  return {{"name", "local"},
          {"type", "local"},
          {"state", "Succeeded"},
          {"nodes", Json::array({std::move(node)})},
          {"active_jobs", active}};
}

Routes place_routes(const Workspace& workspace) {
  const auto show_workspace = [workspace](const Request& request) -> Work {
    const Parameters none(request, {});
    return [workspace](Store& store) {
      const fs::path folder = fs::absolute(workspace.root()).lexically_normal();
      std::int64_t unfinished = 0;
      for (const auto& each : store.activity()) unfinished += each.unfinished;
      return json_reply({{"name", folder.parent_path().filename().string()},
                         {"root", folder.string()},
                         {"version", LOCKSTEP_VERSION},
                         {"experiments", store.list_experiments(history::View::active_only).size()},
                         {"active_jobs", unfinished}});
    };
  };
  const auto show_compute = [](const Request& request) -> Work {
    const Parameters none(request, {});
    return [](Store& store) { return json_reply({{"compute", Json::array({compute_json(store)})}}); };
  };
  const auto describe = [](const Request& request) -> Work {
    const Parameters none(request, {});
    return [](Store&) {
      Reply reply;
      reply.body = std::string(openapi_document().front().bytes);
      return reply;
    };
  };
  return {get("/api/v1/workspace", show_workspace), get("/api/v1/experiments", experiments),
          get("/api/v1/compute", show_compute), get("/api/v1/openapi.json", describe)};
}

}  // namespace lockstep::api
