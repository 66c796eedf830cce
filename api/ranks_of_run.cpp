#include "api/ranks_of_run.hpp"

#include <numeric>

#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::api {

nlohmann::json read_plan(const RunFolder& folder) {
  const auto text = read_file_if_exists(folder.plan_file());
  if (!text) return nlohmann::json::object();
  auto plan = nlohmann::json::parse(*text, nullptr, false);
  return plan.is_object() ? plan : nlohmann::json::object();
}

int rank_count(const RunFolder& folder) {
  const auto plan = read_plan(folder);
  const auto ranks = plan.find("ranks");
  return ranks != plan.end() && ranks->is_array() && !ranks->empty() ? static_cast<int>(ranks->size()) : 1;
}

std::vector<int> shown_ranks(const RunFolder& folder, std::optional<int> wanted) {
  const int count = rank_count(folder);
  if (wanted) {
    if (*wanted < 0 || *wanted >= count) {
      throw bad_input("{} has no rank {}: its ranks are 0 to {}", folder.run_id(), *wanted, count - 1);
    }
    return {*wanted};
  }
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace lockstep::api
