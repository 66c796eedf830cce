// Which ranks a job has on so many nodes, and what each is told to find its place among them.
#pragma once

#include <string>
#include <vector>

#include "launcher/entrypoint/layout.hpp"
#include "launcher/plan/plan.hpp"

namespace lockstep::plan {

inline constexpr const char* preparation_option = "--job-preparation";

entrypoint::Layout layout_of(const spec::CommandJob& job);
bool has_tasks(const entrypoint::Layout& layout);  // which are more than ranks: TensorFlow's workers and servers
std::vector<Rank> ranks_of(const entrypoint::Layout& layout);
std::vector<std::string> entrypoint_options(const Plan& plan, const entrypoint::Layout& layout);

}  // namespace lockstep::plan
