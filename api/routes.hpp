// /api/v1: jobs with their logs, artifacts, metrics and events, and what they run on. api/openapi.json describes it,
// and a test compares. Errors have the shape of MLflow's: {"error_code": ..., "message": ...}.
#pragma once

#include "common/run_folder.hpp"
#include "history/server/route.hpp"

namespace lockstep::api {

using history::Store;
using history::server::Access;
using history::server::Reply;
using history::server::Request;
using history::server::Route;
using history::server::Routes;
using history::server::Verb;
using history::server::Work;

Routes job_routes(const Workspace& workspace);       // jobs.cpp
Routes log_routes(const Workspace& workspace);       // logs.cpp
Routes metric_routes();                              // metrics.cpp
Routes artifact_routes(const Workspace& workspace);  // artifacts.cpp
Routes event_routes(const Workspace& workspace);     // events.cpp
Routes place_routes(const Workspace& workspace);     // places.cpp: the workspace, its experiments and compute, OpenAPI
Routes portal_routes();                              // portal.cpp

Routes all_routes(const Workspace& workspace);

}  // namespace lockstep::api
