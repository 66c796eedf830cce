// Which ranks a run has, from its plan.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "common/run_folder.hpp"

namespace lockstep::api {

nlohmann::json read_plan(const RunFolder& folder);  // {} where there is none

int rank_count(const RunFolder& folder);  // 1 if the plan does not tell

// All ranks, or the wanted one; bad_input when the run has no such rank.
std::vector<int> shown_ranks(const RunFolder& folder, std::optional<int> wanted);

}  // namespace lockstep::api
