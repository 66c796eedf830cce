// What a run on hosts has besides: which hosts, whether they are well, its files there, an agent on each.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>

#include <algorithm>
#include <map>

#include "common/clock.hpp"
#include "common/digest.hpp"
#include "common/error.hpp"
#include "common/fault.hpp"
#include "launcher/hosts/network.hpp"
#include "launcher/hosts/node_preparation.hpp"
#include "launcher/hosts/preflight.hpp"
#include "launcher/hosts/reach.hpp"
#include "launcher/hosts/send.hpp"
#include "launcher/plan/remote.hpp"
#include "launcher/slurm/admission.hpp"
#include "launcher/slurm/nodes.hpp"
#include "launcher/supervise/diagnosis.hpp"
#include "launcher/supervise/mpirun_report.hpp"
#include "launcher/supervise/records.hpp"
#include "launcher/supervise/say.hpp"
#include "launcher/supervise/supervision.hpp"

namespace lockstep::supervise {

using history::RunState;

namespace {
constexpr int tick_ms = 100;
constexpr std::int64_t time_to_start_agents_ms = 30'000;
constexpr std::int64_t mpirun_may_say_ms = 5'000;  // of a host that is gone, before we end the run ourselves
constexpr int tunnel_tries = 3;

// Below the ports that Linux takes for outgoing connections, and not the same for all runs: two machines that submit to
// one host do not know of each other.
int tunnel_port(const std::string& run_id, int attempt) {
  constexpr int first = 20'000;
  constexpr int last = 32'767;
  const auto seed = std::stoul(sha256_hex(run_id).substr(0, 7), nullptr, 16);
  return first + static_cast<int>((seed + static_cast<unsigned long>(attempt) * 7919) % (last - first + 1));
}
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
  const bool some_were_lost = restarts_ + preemptions_ > 0 || !asked_again_.empty();
  if (some_were_lost) request.least_nodes = least_nodes();
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

std::optional<Ending> Supervision::go_to_hosts() {
  try {
    std::string problem;
    if (!choose_hosts(problem)) {
      if (over()) return ending_before_start("its hosts were looked at");
      return ended(RunState::failed, problem);
    }
    fault_point("supervisor.after_hosts");
    if (plan::sends_files(plan_)) {
      hosts::send_files(
          plan_, [](const std::string& line) { say("prepare", line); },
          [this] {
            listen(0);
            return over();
          });
    }
    fault_point("supervisor.after_send");
    for (int attempt = 0; !agents_; ++attempt) {
      tunnel_ = endpoint_ ? tunnel_port(plan_.run_id, attempt) : 0;
      start_agents();
      if (wait_for_agents()) break;
      if (over()) return ending_before_start("its hosts were ready");
      const std::string loss = agents_->loss().value_or("no word from the hosts");
      agents_.reset();
      const bool port_was_taken = loss.find("cannot listen at") != std::string::npos;
      if (!port_was_taken || attempt + 1 == tunnel_tries) return ended(RunState::failed, loss);
    }
    fault_point("supervisor.after_agents");
  } catch (const Error& error) {
    if (over()) return ending_before_start("its hosts were ready");
    return ended(RunState::failed, fmt::format("preparation failed: {}", error.what()));
  }
  return over() ? std::optional(ending_before_start("its program started")) : std::nullopt;
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
  std::vector<std::string> bad;
  std::vector<std::string> problems;
  if (whole_ && !allocation_) exchange_hosts(bad);  // those that it has gone on without may be there again
  while (true) {
    take_hosts();
    const auto reports =
        hosts::preflight(workspace_, plan::remote_of(plan_), plan::remote_of(plan_).hosts, this_program(), [this] {
          listen(0);
          return over();
        });
    const std::size_t before = bad.size();
    for (const auto& each : reports) {
      if (each.problems.empty()) continue;
      bad.push_back(known_as(each.host));
      for (const auto& text : each.problems) {
        problems.push_back(text);
        say("hosts", text);
      }
    }
    if (bad.size() == before) prepare_hosts(bad, problems);
    if (bad.size() == before) look_at_network(bad, problems);
    if (bad.size() == before) break;
    if (allocation_) {  // these go back; others are asked for
      bad_nodes_ = bad;
      asked_again_ = fmt::format("others were asked for, because {}", fmt::join(problems, "; "));
      allocation_.reset();
      if (!wait_for_nodes(problem)) {
        problem += fmt::format("; before: {}", fmt::join(problems, "; "));
        return false;
      }
      set_state(RunState::preparing);
    } else if (!exchange_hosts(bad)) {
      problem = fmt::format("too few hosts of '{}' are well: {}", plan_.compute, fmt::join(problems, "; "));
      return false;
    }
  }
  say("hosts", fmt::format("the nodes are {}", fmt::join(plan_.nodes, ", ")));
  write_plan(plan_);
  return true;
}

int Supervision::least_nodes() const {
  const auto all = static_cast<int>(plan_.nodes.size());
  return whole_ ? limits_.least_nodes.value_or(all) : all;
}

bool Supervision::exchange_hosts(const std::vector<std::string>& bad) {
  return ledger_->exchange(ticket_, bad, static_cast<int>(whole_.value_or(plan_).nodes.size()), least_nodes()) > 0;
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
void Supervision::prepare_hosts(std::vector<std::string>& bad, std::vector<std::string>& problems) {
  const auto& remote = plan::remote_of(plan_);
  if (remote.compute.node_preparation.empty()) return;
  const auto nodes = hosts::prepare_nodes(remote, remote.hosts, [this] {
    listen(0);
    return over();
  });
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& node = nodes[i];
    if (node.ran) {
      say("hosts", fmt::format("{} was prepared{}", node.host.name, node.problem.empty() ? "" : ", in vain"));
      write_file_atomically(plan_.folder.node_preparation_log(static_cast<int>(i)), node.output);
    }
    if (node.problem.empty()) continue;
    say("hosts", node.problem);
    problems.push_back(node.problem);
    bad.push_back(known_as(node.host));
    hosts::drain(remote, node);
  }
}

// After the preparation, which may be what brings the network up.
void Supervision::look_at_network(std::vector<std::string>& bad, std::vector<std::string>& problems) {
  const auto report = hosts::check_network(plan_, programs_environment(), [this] {
    fault_point("supervisor.during_network_check");
    listen(0);
    return over();
  });
  if (!report.measured.empty()) {
    say("hosts", fmt::format("a sum over {} nodes: {}", plan_.nodes.size(), report.measured));
  }
  if (report.problem.empty()) return;
  if (!report.bad) throw failure("{}", report.problem);
  say("hosts", report.problem);
  problems.push_back(report.problem);
  bad.push_back(known_as(plan::remote_of(plan_).hosts[*report.bad]));
}

// To Slurm by its name, to the ledger by its address.
std::string Supervision::known_as(const spec::Host& host) const { return allocation_ ? host.name : host.address; }

void Supervision::start_agents() {
  hosts::AgentSettings settings;
  settings.stop_grace_ms = std::int64_t{limits_.stop_grace_s} * 1000;
  Environment environment = current_environment();
  for (const auto& [name, value] : plan_.environment) environment.insert_or_assign(name, value);
  settings.sampling_interval_ms = machine::sampling_interval_ms(environment).value_or(0);
  if (endpoint_) {
    settings.tunnel = tunnel_;
    settings.port = endpoint_->port();
  }
  agents_ = std::make_unique<hosts::Agents>(plan_, settings);
}

bool Supervision::wait_for_agents() {
  const std::int64_t deadline = monotonic_ms() + time_to_start_agents_ms;
  while (!agents_->all_there() && !agents_->loss() && !over() && monotonic_ms() < deadline) listen(tick_ms);
  return agents_->all_there() && !over();
}

// mpirun notices most losses by itself, and names the node; what it does not notice in time is ended here.
void Supervision::look_at_hosts() {
  agents_->hear();
  const auto samples = agents_->take_samples();
  if (!samples.empty()) {
    try {
      store_->log_batch(plan_.run_id, samples, {}, {});
    } catch (const Error& error) {
      say("system metrics", error.what());
    }
  }
  if (!agents_->loss() || !started_ || ending_) return;
  if (lost_ms_ == 0) {
    lost_ms_ = monotonic_ms();
    say("hosts", agents_->loss().value_or(""));
  }
  if (stop_ || monotonic_ms() - lost_ms_ < mpirun_may_say_ms) return;
  stop({RunState::failed, agents_->loss().value_or("")}, OwnStop::loss);
}

// mpirun did not say which rank failed. Its nodes do. Those that were ended because of it are not to blame, unless
// there is nobody else: one that was gone before its node looked is, though nobody knows how it ended.
void Supervision::name_first_failure(Ending& ending) const {
  std::vector<RankEnd> ends = agents_->ends();
  const auto by_order = [](const RankEnd& end) {
    const int signal = end.signal.value_or(end.exit_code.value_or(0) > 128 ? *end.exit_code - 128 : 0);
    return signal == SIGTERM || signal == SIGKILL;
  };
  if (!std::all_of(ends.begin(), ends.end(), by_order)) std::erase_if(ends, by_order);
  const auto found = diagnose(plan_.folder, ends, ending.outcome.exit_code.value_or(1) << 8, "");
  if (!found.rank) return;
  ending.outcome.reason = found.reason;
  ending.outcome.first_failed_rank = found.rank;
  ending.failure = found.log;
  if (found.exit_code || found.signal) {
    ending.outcome.exit_code = found.exit_code;
    ending.outcome.signal = found.signal;
  }
}

// An agent that is left alone asks its ranks to leave, which may look as if they had been asked to by us. And what a
// lost node had not sent is missing here.
void Supervision::fail_for_loss(Ending& ending) const {
  const bool left_alone = ending.state == RunState::canceled && (!stop_ || own_stop_ == OwnStop::loss);
  const bool files_are_missing = ending.state == RunState::completed && plan::sends_files(plan_);
  if (!left_alone && !files_are_missing) return;
  ending.state = RunState::failed;
  ending.outcome.reason =
      left_alone ? "its ranks have saved and left" : "its program ended well, but not all that it wrote there has come";
}

// The program has ended. Its files come, its nodes are left clean; then its end can be told with all that is known.
void Supervision::leave_hosts(Ending& ending) {
  agents_->finish();
  while (!agents_->all_done()) listen(tick_ms);
  fault_point("supervisor.after_files");
  const bool by_itself = ending.state == RunState::failed && !stop_;
  if (const auto found = by_itself ? diagnose_preparation(plan_.folder) : std::nullopt) {
    ending.outcome = {found->reason, found->exit_code, std::nullopt, std::nullopt};
    ending.failure = found->log;
  } else if (by_itself && !agents_->loss() && !ending.outcome.first_failed_rank && ending.outcome.exit_code &&
             ending.outcome.exit_code != lost_daemon_code) {
    name_first_failure(ending);
  } else if (ending.state == RunState::failed && ending.failure && ending.outcome.first_failed_rank) {
    const RankEnd end{*ending.outcome.first_failed_rank, ending.outcome.exit_code, ending.outcome.signal};
    const auto again =
        diagnose_rank(plan_.folder, end, agents_->ends(), ending.outcome.reason.find("MPI_Abort") != std::string::npos);
    ending.outcome.reason = again.reason;
    ending.outcome.first_failed_rank = again.rank;
    ending.failure = again.log;
  }
  if (allocation_ && !stop_ && ending.state != RunState::completed) {
    const std::string became = slurm::what_became_of(plan::slurm_of(plan::remote_of(plan_).compute), allocation_->id());
    preempted_ = became == "was preempted";
    if (became == "was canceled") ending.state = RunState::canceled;  // whoever did that meant the run
    if (!became.empty()) ending.outcome.reason = fmt::format("its Slurm job {}; {}", became, ending.outcome.reason);
  }
  const auto loss = agents_->loss();
  if (loss) fail_for_loss(ending);
  if (ending.state == RunState::failed && !agents_->full_disks().empty()) {
    ending.outcome.reason +=
        fmt::format("; the disk is full on {}: free space where {} lies", fmt::join(agents_->full_disks(), ", "),
                    plan::remote_of(plan_).folder.root().string());
  }
  if (ending.state == RunState::failed && loss && ending.outcome.reason.find(*loss) == std::string::npos) {
    ending.outcome.reason = fmt::format("{}; {}", *loss, ending.outcome.reason);
  }
  for (const auto& node : agents_->unclean()) {
    ending.outcome.reason += fmt::format("{}some of its processes on {} could not be killed",
                                         ending.outcome.reason.empty() ? "" : "; ", node);
  }
  agents_->dismiss();
  agents_.reset();
}

}  // namespace lockstep::supervise
