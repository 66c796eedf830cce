// Which nodes a run gets: from a cluster or from the ledger, as long as they are well, and fewer where fewer will do.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/fault.hpp"
#include "launcher/hosts/network.hpp"
#include "launcher/hosts/node_preparation.hpp"
#include "launcher/hosts/preflight.hpp"
#include "launcher/hosts/reach.hpp"
#include "launcher/slurm/admission.hpp"
#include "launcher/slurm/nodes.hpp"
#include "launcher/supervise/records.hpp"
#include "launcher/supervise/say.hpp"
#include "launcher/supervise/supervision.hpp"

namespace lockstep::supervise {

using history::RunState;

namespace {
constexpr std::int64_t time_to_clean_ms = 10'000;
}  // namespace

// One squeue for all runs of this machine, every two seconds.
void Supervision::note_queue() {
  if (monotonic_ms() < next_queue_look_ms_ || !allocation_->job_id()) return;
  next_queue_look_ms_ = monotonic_ms() + 2000;
  try {
    const auto& engine = plan::slurm_of(plan::remote_of(plan_).compute);
    const fs::path kept = runtime_folder() / "slurm";
    const auto rows = slurm::queue(engine, kept, allocation_->job_id());
    const auto ours = std::find_if(rows.begin(), rows.end(),
                                   [this](const slurm::QueueRow& row) { return row.job_id == allocation_->job_id(); });
    const std::string limit = ours == rows.end() ? "" : slurm::limit_text(engine, kept, *ours);
    std::string text =
        slurm::queue_text(rows, allocation_->id(), slurm::licenses_text(engine, plan::cores_of(plan_)), limit);
    if (!asked_again_.empty()) text = asked_again_ + (text.empty() ? "" : "; " + text);
    if (text == queue_) return;
    queue_ = std::move(text);
    if (!queue_.empty()) say("slurm", queue_);
    write_file_atomically(plan_.folder.queue_file(), queue_ + "\n");
  } catch (const Error& error) {
    say("slurm", error.what());
  }
}

bool Supervision::wait_for_nodes(std::string& problem) {
  while (true) {
    ask_for_nodes();
    while (!allocation_->granted() && !allocation_->refusal()) {
      listen(tick_ms);
      if (over()) return false;
      allocation_->hear();
      note_queue();
    }
    fault_point("supervisor.after_allocation");
    std::error_code ignored;
    fs::remove(plan_.folder.queue_file(), ignored);
    if (allocation_->granted()) break;
    if (!a_node_did_not_come()) {
      problem = fmt::format("Slurm gives it no nodes: {}", allocation_->refusal().value_or(""));
      return false;
    }
    listen(0);
    if (over()) return false;
  }
  asked_again_.clear();
  plan::remote_of(plan_).slurm_job = allocation_->job_id();
  say("slurm", fmt::format("job {}", allocation_->id()));
  listen(0);
  return !over();
}

void Supervision::ask_for_nodes() {
  const auto& engine = plan::slurm_of(plan::remote_of(plan_).compute);
  auto request = hosts::slurm_request(whole_.value_or(plan_), bad_nodes_);
  request.least_nodes = least_nodes(!bad_nodes_.empty() || !asked_again_.empty());
  slurm::note_request(plan_.folder.allocation_file(), engine, request);
  allocation_ = std::make_unique<slurm::Allocation>(engine, request);
  fault_point("supervisor.while_asking");
  if (store_->get_run(plan_.run_id).state != RunState::queued) set_state(RunState::queued);
  fault_point("supervisor.after_asking");
}

// Of nodes that are made for a run one may not come. Slurm takes others, if it is asked again.
bool Supervision::a_node_did_not_come() {
  const auto& engine = plan::slurm_of(plan::remote_of(plan_).compute);
  if (!allocation_->job_id() || slurm::what_became_of(engine, allocation_->id()) != "lost a node") return false;
  const std::string troubles = slurm::trouble_of_nodes(engine, allocation_->id());
  asked_again_ = "others were asked for, because a node did not come";
  if (!troubles.empty()) asked_again_ += fmt::format(" ({})", troubles);
  return true;
}

// With the addresses at which they reach each other: not in every cluster are the names known there.
std::vector<spec::Host> Supervision::nodes_of_allocation() const {
  std::map<std::string, std::string> addresses;
  for (auto& each : slurm::nodes_of(plan::slurm_of(plan::remote_of(plan_).compute)))
    addresses[each.name] = each.address;
  std::vector<spec::Host> nodes;
  for (const auto& name : allocation_->nodes()) {
    const auto known = addresses.find(name);
    nodes.push_back({name, known == addresses.end() ? name : known->second});
  }
  return nodes;
}

// Those that the ledger gives, as long as they are well; others in place of those that are not.
bool Supervision::choose_hosts(std::string& problem) {
  Unwell unwell;
  if (whole_ && !allocation_) exchange_hosts({}, 1);  // those that it has gone on without may be there again
  while (true) {
    take_hosts();
    const Look found = look_at_nodes(unwell);
    if (found == Look::well) break;
    if (found == Look::some_are_not && !replace_nodes(unwell, problem)) return false;
  }
  say("hosts", fmt::format("the nodes are {}", fmt::join(plan_.nodes, ", ")));
  write_plan(plan_);
  return true;
}

Supervision::Look Supervision::look_at_nodes(Unwell& unwell) {
  const auto reports =
      hosts::preflight(workspace_, plan::remote_of(plan_), plan::remote_of(plan_).hosts, this_program(), [this] {
        listen(0);
        return over();
      });
  Look found = Look::well;
  for (const auto& each : reports) {
    if (each.problems.empty()) continue;
    found = Look::some_are_not;
    unwell.bad.push_back(known_as(each.host));
    for (const auto& text : each.problems) {
      unwell.problems.push_back(text);
      say("hosts", text);
    }
  }
  if (found == Look::well) found = prepare_hosts(unwell);
  if (found == Look::well) found = look_at_network(unwell);
  return found;
}

bool Supervision::replace_nodes(const Unwell& unwell, std::string& problem) {
  const std::string why = fmt::format("{}", fmt::join(unwell.problems, "; "));
  if (!allocation_) {
    if (exchange_hosts(unwell.bad, least_nodes(true))) return true;
    problem = fmt::format("too few hosts of '{}' are well: {}", plan_.compute, why);
    return false;
  }
  // These go back; others are asked for.
  bad_nodes_ = unwell.bad;
  asked_again_ = fmt::format("others were asked for, because {}", why);
  allocation_.reset();
  if (!wait_for_nodes(problem)) {
    problem += fmt::format("; before: {}", why);
    return false;
  }
  set_state(RunState::preparing);
  return true;
}

// Fewer than all only where it begins again, and not because of its own ranks alone.
int Supervision::least_nodes(bool some_are_bad) const {
  const auto all = static_cast<int>(whole_.value_or(plan_).nodes.size());
  const bool may_be_fewer = whole_ && restarts_ + preemptions_ > 0 && (lost_nodes_ || some_are_bad);
  return may_be_fewer ? limits_.least_nodes.value_or(all) : all;
}

bool Supervision::exchange_hosts(const std::vector<std::string>& bad, int least) {
  return ledger_->exchange(ticket_, bad, static_cast<int>(whole_.value_or(plan_).nodes.size()), least) > 0;
}

// As many as it has got: of a run that may go on with fewer, not always all.
void Supervision::take_hosts() {
  const auto addresses = allocation_ ? std::vector<std::string>() : ledger_->hosts_of(ticket_);
  auto nodes = allocation_ ? nodes_of_allocation() : plan::hosts_at(plan_, addresses);
  if (whole_ && nodes.size() != plan_.nodes.size()) {
    const auto slurm_job = plan::remote_of(plan_).slurm_job;
    plan_ = plan::on_fewer_nodes(*whole_, static_cast<int>(nodes.size()));
    plan::remote_of(plan_).slurm_job = slurm_job;
  }
  plan::place(plan_, std::move(nodes));
}

// For the history of its states.
history::Outcome Supervision::with_nodes() const {
  history::Outcome outcome;
  if (whole_ && whole_->nodes.size() != plan_.nodes.size()) {
    outcome.reason =
        fmt::format("with {} of {} nodes: {}", plan_.nodes.size(), whole_->nodes.size(), fmt::join(plan_.nodes, ", "));
  }
  return outcome;
}

// The compute's own preparation of its nodes. One where it fails counts as not well.
Supervision::Look Supervision::prepare_hosts(Unwell& unwell) {
  const auto& remote = plan::remote_of(plan_);
  if (remote.compute.node_preparation.empty()) return Look::well;
  const auto nodes = hosts::prepare_nodes(remote, remote.hosts, [this] {
    listen(0);
    return over();
  });
  Look found = Look::well;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& node = nodes[i];
    if (node.ran) {
      say("hosts", fmt::format("{} was prepared{}", node.host.name, node.problem.empty() ? "" : ", in vain"));
      write_file_atomically(plan_.folder.node_preparation_log(static_cast<int>(i)), node.output);
    }
    if (node.problem.empty()) continue;
    found = Look::some_are_not;
    say("hosts", node.problem);
    unwell.problems.push_back(node.problem);
    unwell.bad.push_back(known_as(node.host));
    hosts::drain(remote, node);
  }
  return found;
}

// After the preparation, which may be what brings the network up. Where nobody can be named the nodes are looked at
// once more: one that has died in between shows itself.
Supervision::Look Supervision::look_at_network(Unwell& unwell) {
  const auto report = hosts::check_network(plan_, programs_environment(), [this] {
    fault_point("supervisor.during_network_check");
    listen(0);
    return over();
  });
  if (!report.measured.empty()) say("hosts", report.measured);
  if (report.problem.empty()) return Look::well;
  say("hosts", report.problem);
  if (!report.bad) {
    if (std::exchange(unwell.network_was_unclear, true)) throw failure("{}", report.problem);
    return Look::unclear;
  }
  unwell.problems.push_back(report.problem);
  leave_out(*report.bad, report.or_else, unwell);
  return Look::some_are_not;
}

void Supervision::leave_out(std::size_t bad, std::optional<std::size_t> or_else, Unwell& unwell) {
  const auto& hosts = plan::remote_of(plan_).hosts;
  const std::string stayed = or_else ? known_as(hosts[*or_else]) : "";
  if (!stayed.empty() && stayed == unwell.stayed) {
    std::erase(unwell.bad, unwell.left_out);
    unwell.bad.push_back(stayed);
    unwell.stayed.clear();
    return;
  }
  unwell.stayed = stayed;
  unwell.left_out = known_as(hosts[bad]);
  unwell.bad.push_back(unwell.left_out);
}

// To Slurm by its name, to the ledger by its address.
std::string Supervision::known_as(const spec::Host& host) const { return allocation_ ? host.name : host.address; }

// Slurm takes its time to clean the nodes of a job that has ended; asked meanwhile, it would give a run that takes
// fewer those alone that are idle already.
void Supervision::wait_until_nodes_are_clean(std::int64_t job) {
  const auto& engine = plan::slurm_of(plan::remote_of(plan_).compute);
  const std::int64_t deadline = monotonic_ms() + time_to_clean_ms;
  while (!over() && monotonic_ms() < deadline && slurm::is_completing(engine, job)) listen(tick_ms);
}

}  // namespace lockstep::supervise
