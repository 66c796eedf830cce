#include "api/routes.hpp"

#include <iterator>

namespace lockstep::api {

Routes all_routes(const Workspace& workspace) {
  Routes all;
  const auto add = [&all](Routes some) {
    all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  };
  add(job_routes(workspace));
  add(log_routes(workspace));
  add(metric_routes());
  add(artifact_routes(workspace));
  add(event_routes(workspace));
  add(place_routes(workspace));
  add(portal_routes());
  return all;
}

}  // namespace lockstep::api
