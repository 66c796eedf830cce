// What registry.cpp and registry_versions.cpp share: replies and searches.
#pragma once

#include <string>
#include <vector>

#include "history/search/filter.hpp"
#include "history/server/mlflow/entities.hpp"
#include "history/server/mlflow/fields.hpp"
#include "history/server/mlflow/routes.hpp"

namespace lockstep::history::server::mlflow {

void add_model_version_routes(Routes& routes);  // model-versions/... and registered-models/alias

// filter, order_by, max_results and page_token.
Search search_in(const Fields& fields, Kind kind, int results_by_default, int most_results);

Reply empty_object_reply();
Reply reply_with(const ModelVersion& version);  // {"model_version": {...}}

// {"<list>": [...], "next_page_token": ...}, each of them only if there is something in it.
template <class Entity>
Reply reply_with_page(const char* list, const std::vector<Entity>& entities, const std::string& next_page_token) {
  JsonText out;
  out.begin_object();
  if (!entities.empty()) {
    out.key(list);
    out.begin_array();
    for (const auto& entity : entities) write(out, entity);
    out.end_array();
  }
  out.member_if_set("next_page_token", next_page_token);
  out.end_object();
  Reply reply;
  reply.body = out.take();
  return reply;
}

}  // namespace lockstep::history::server::mlflow
