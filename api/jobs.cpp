#include "api/parameters.hpp"
#include "api/ranks_of_run.hpp"
#include "api/replies.hpp"
#include "common/file.hpp"
#include "launcher/supervise/supervisor.hpp"

namespace lockstep::api {

namespace {

constexpr int most_values = 1000;  // metrics of a job's details; the rest has pages of its own

Json jobs_json(const history::RunPage& page, const Workspace& workspace) {
  Json reply;
  reply["jobs"] = Json::array();
  for (const history::Run& run : page.runs) reply["jobs"].push_back(job_json(run, workspace));
  if (!page.next_page_token.empty()) reply["next_page_token"] = page.next_page_token;
  return reply;
}

Work list_jobs(const Workspace& workspace, const Request& request) {
  const Parameters given(request, {"experiment_name", "parent_job_name", "active", "max_results", "page_token"});
  history::RunQuery query;
  query.parent_run_id = given.text("parent_job_name");
  query.only_unfinished = given.truth("active");
  query.max_results = static_cast<int>(given.number("max_results", 100, 1, 1000));
  query.page_token = given.text("page_token");
  return [workspace, query, experiment = given.text("experiment_name")](Store& store) mutable {
    if (!experiment.empty()) query.experiment_id = store.get_experiment_by_name(experiment).experiment_id;
    return json_reply(jobs_json(store.list_runs(query), workspace));
  };
}

Work children(const Workspace& workspace, const Request& request) {
  const Parameters given(request, {"max_results", "page_token"});
  history::RunQuery query;
  query.parent_run_id = request.captured.at(0);
  query.max_results = static_cast<int>(given.number("max_results", 1000, 1, 1000));
  query.page_token = given.text("page_token");
  return [workspace, query](Store& store) {
    store.get_run(query.parent_run_id);  // not_found
    return json_reply(jobs_json(store.list_runs(query), workspace));
  };
}

Work show(const Workspace& workspace, const Request& request) {
  const Parameters none(request, {});
  return [workspace, name = request.captured.at(0)](Store& store) {
    const history::LatestPage metrics = store.latest_page(name, "", most_values, "");
    Json job = job_json(read_details(store, workspace, name, metrics.metrics), workspace);
    job["metrics_total"] = metrics.total;
    job["ranks"] = rank_count(workspace.run(name));
    return json_reply(job);
  };
}

Work job_file(const Workspace& workspace, const Request& request) {
  const Parameters none(request, {});
  return [workspace, name = request.captured.at(0)](Store& store) {
    store.get_run(name);  // not_found
    const auto text = read_file_if_exists(workspace.run(name).job_file(), 16 << 20);
    if (!text) throw not_found("{} was not started from a job file", name);
    Reply reply;
    reply.content_type = "text/plain; charset=utf-8";
    reply.body = *text;
    return reply;
  };
}

Work cancel(const Workspace& workspace, const Request& request) {
  const Parameters none(request, {});
  const std::string reason = text_member(request, "reason");
  return [workspace, name = request.captured.at(0), reason](Store& store) {
    const bool asked = supervise::cancel(workspace, store, name, reason.empty() ? "canceled over /api/v1" : reason);
    return json_reply({{"asked", asked}, {"status", history::name_of(store.get_run(name).state)}});
  };
}

}  // namespace

Routes job_routes(const Workspace& workspace) {
  const auto of = [workspace](Work (*make)(const Workspace&, const Request&)) {
    return [workspace, make](const Request& request) { return make(workspace, request); };
  };
  return {
      get("/api/v1/jobs", of(list_jobs)),
      get("/api/v1/jobs/{name}", of(show)),
      get("/api/v1/jobs/{name}/children", of(children)),
      get("/api/v1/jobs/{name}/job-file", of(job_file)),
      {.verb = Verb::post, .pattern = "/api/v1/jobs/{name}/cancel", .access = Access::write, .handler = of(cancel)}};
}

}  // namespace lockstep::api
