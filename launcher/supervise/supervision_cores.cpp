// A run's place in the machine's ledger, and its cores there, which the workspace's quotas limit.
#include <algorithm>

#include "common/error.hpp"
#include "launcher/compute/quotas.hpp"
#include "launcher/supervise/say.hpp"
#include "launcher/supervise/supervision.hpp"

namespace lockstep::supervise {

std::int64_t Supervision::enter_ledger() {
  const std::string workspace = workspace_.root().string();
  if (!plan_.remote) return ledger_->enter(plan_.run_id, workspace, plan_.slots, keeper_);
  Cores cores = cores_of_run(plan_);
  cores.limit = cores_limit_;
  if (plan_.remote->compute.slurm) return ledger_->enter_for_cores(plan_.run_id, workspace, cores, keeper_);
  std::vector<std::string> hosts;
  for (const auto& each : plan::hosts_of(plan_.remote->compute).hosts) hosts.push_back(each.address);
  return ledger_->enter_for_hosts(plan_.run_id, workspace, hosts, static_cast<int>(plan_.nodes.size()), keeper_, cores);
}

// The quota as it is now, for the run's entry. While the file can't be read the run waits on, and it is said why.
std::string Supervision::look_at_quota() {
  if (plan::cores_of(plan_) == 0) return "";
  const auto& compute = plan::remote_of(plan_).compute;
  std::optional<int> limit;
  try {
    limit = spec::limit_of(quotas_.now(), compute.family, compute.tier);
  } catch (const Error& damaged) {
    std::string text = damaged.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  }
  if (limit != cores_limit_ && ticket_ != no_ticket) ledger_->limit_cores(ticket_, limit);
  cores_limit_ = limit;
  return "";
}

bool Supervision::may_start() {
  std::string why = look_at_quota();
  if (why.empty() && ledger_->try_start(ticket_)) {
    note_wait("");
    return true;
  }
  if (why.empty() && cores_limit_) {
    const auto entries = ledger_->entries();
    for (const auto& each : entries) {
      if (each.ticket == ticket_) why = core_queue_text(entries, each);
    }
  }
  note_wait(why);
  return false;
}

// "": it waits for no cores.
void Supervision::note_wait(const std::string& text) {
  if (text == queue_) return;
  queue_ = text;
  if (text.empty()) {
    std::error_code ignored;
    fs::remove(plan_.folder.queue_file(), ignored);
    return;
  }
  say("quota", text);
  write_file_atomically(plan_.folder.queue_file(), text + "\n");
}

}  // namespace lockstep::supervise
