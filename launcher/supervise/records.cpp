#include "launcher/supervise/records.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/file.hpp"
#include "history/sink/report/report_file.hpp"
#include "launcher/spec/read_job.hpp"

namespace lockstep::supervise {

void write_plan(const plan::Plan& plan) {
  write_file_durably(plan.folder.plan_file(),
                     plan::to_json(plan).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

int ranks_ever(const RunFolder& folder, int of_plan) {
  constexpr int most = 1 << 20;  // of a name that is none of ours
  int ranks = of_plan;
  if (!fs::is_directory(folder.metrics())) return ranks;
  for (const int rank : history::report::ranks_with_journals(folder.metrics())) {
    if (rank < most) ranks = std::max(ranks, rank + 1);
  }
  return ranks;
}

history::NewRun new_run_of(const plan::Plan& plan, const std::string& experiment_id) {
  history::NewRun run;
  run.run_id = plan.run_id;
  run.experiment_id = experiment_id;
  run.display_name = plan.display_name;
  run.user_id = plan.user;
  run.artifact_uri = "file://" + plan.folder.outputs().string();
  run.compute = plan.compute;
  for (const auto& input : plan.inputs) {
    if (input.how != plan::InputStep::How::literal) continue;
    const bool secret = spec::is_secret(input.name);
    run.params.push_back({input.name, secret ? std::string(spec::masked) : input.source});
  }
  for (const auto& [key, value] : plan.job.tags) run.tags.push_back({key, value});
  if (!plan.job.description.empty()) {
    run.tags.push_back({"mlflow.note.content", plan.job.description});
  }
  return run;
}

std::vector<history::KeyValue> tags_of(const compute::Prepared& prepared) {
  std::vector<history::KeyValue> tags;
  if (!prepared.snapshot_sha256.empty()) tags.push_back({"lockstep.code.sha256", prepared.snapshot_sha256});
  for (const auto& input : prepared.inputs) {
    const std::string prefix = "lockstep.input." + input.name;
    tags.push_back({prefix + ".source", input.source});
    if (!input.sha256.empty()) tags.push_back({prefix + ".sha256", input.sha256});
  }
  return tags;
}

std::string reason_of_request(history::Store& store, const std::string& run_id) {
  std::string reason = "canceled";
  for (const auto& change : store.state_history(run_id)) {
    if (change.state == history::RunState::cancel_requested && !change.reason.empty()) reason = change.reason;
  }
  return reason;
}

}  // namespace lockstep::supervise
