// A run as the commands show it: in tables here, in JSON as /api/v1 does (api/job_json.hpp).
#pragma once

#include <string>
#include <vector>

#include "api/job_json.hpp"
#include "cli/query.hpp"
#include "cli/terminal.hpp"
#include "history/store/store.hpp"

namespace lockstep::cli {

using api::artifacts_json;
using api::duration_ms;
using api::job_json;
using api::JobDetails;
using api::number_json;
using api::read_details;

std::string job_table(const std::vector<history::Run>& runs, std::int64_t now_ms, const Terminal& terminal);

std::string age_text(std::int64_t milliseconds);  // "just now", "5 min ago", "3 h ago", "2 d ago"
std::string status_colour(history::RunState state);

}  // namespace lockstep::cli
