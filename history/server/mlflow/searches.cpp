#include "history/server/mlflow/existing_run.hpp"
#include "history/server/mlflow/fields.hpp"
#include "history/server/mlflow/replies.hpp"
#include "history/server/mlflow/routes.hpp"
#include "history/server/mlflow/search_fields.hpp"
#include "history/store/limits.hpp"

namespace lockstep::history::server::mlflow {

// By name or, as protobuf has it, by number.
static View view_in(const Fields& fields, const char* name) {
  static constexpr std::pair<const char*, View> words[] = {
      {"ACTIVE_ONLY", View::active_only}, {"DELETED_ONLY", View::archived_only}, {"ALL", View::all}};
  if (!fields.has(name)) return View::active_only;
  const auto& value = fields.object()[name];
  for (std::size_t i = 0; i < std::size(words); ++i) {
    if (value == words[i].first || value == i + 1 || value == std::to_string(i + 1)) return words[i].second;
  }
  invalid_value(name, value, "It must be one of ACTIVE_ONLY, DELETED_ONLY, ALL.");
}

static Search search_of(const Fields& fields, Kind kind, const char* view) {
  constexpr int by_default = 1000;
  Search search = search_in(fields, kind, by_default, limits::page_length);
  search.experiment_ids = fields.texts("experiment_ids");
  search.view = view_in(fields, view);
  return search;
}

static Work search_runs(const Request& request) {
  Search search = search_of(Fields(request), Kind::runs, "run_view_type");
  for (const std::string& id : search.experiment_ids) limits::experiment_number(id);
  return [search = std::move(search)](Store& store) {
    const FullRunPage page = store.search_runs(search);
    return list_reply("runs", page.runs, page.next_page_token);
  };
}

static Work search_experiments(const Request& request) {
  return [search = search_of(Fields(request), Kind::experiments, "view_type")](Store& store) {
    const ExperimentPage page = store.search_experiments(search);
    return list_reply("experiments", page.experiments, page.next_page_token);
  };
}

Routes search_routes() {
  Routes routes;
  add_route(routes, Verb::post, "runs/search", Access::read, search_runs);
  add_route(routes, Verb::post, "experiments/search", Access::read, search_experiments);
  add_route(routes, Verb::get, "experiments/search", Access::read, search_experiments);
  return routes;
}

}  // namespace lockstep::history::server::mlflow
