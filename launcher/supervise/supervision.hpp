// The supervisor's own work: the life of one run from NotStarted to a terminal state, in a process of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/run_folder.hpp"
#include "history/store/store.hpp"
#include "launcher/compute/quotas.hpp"
#include "launcher/hosts/agents.hpp"
#include "launcher/machine/system_metrics.hpp"
#include "launcher/plan/plan.hpp"
#include "launcher/slurm/allocation.hpp"
#include "launcher/supervise/channel.hpp"
#include "launcher/supervise/ending.hpp"
#include "launcher/supervise/journal_intake.hpp"
#include "launcher/supervise/ledger.hpp"
#include "launcher/supervise/signals.hpp"
#include "launcher/supervise/supervisor.hpp"
#include "launcher/tracking/endpoint.hpp"

namespace lockstep::supervise {

class Supervision {
 public:
  // The run exists in store and folder; this process holds its owner lock.
  Supervision(Workspace workspace, plan::Plan plan, Limits limits, ProcessId keeper, Channel channel);

  void live();  // returns when the run is in a terminal state, or when the store could not be told (state.json knows)

 private:
  static constexpr std::int64_t no_ticket = -1;

  // The stages, in their order. Each returns an ending when the run ends there.
  Ending carry_out();
  bool wait_for_slots();
  std::optional<Ending> prepare();
  std::optional<int> reserved_port();
  void open_endpoint();
  void start();
  Ending watch();
  std::optional<std::string> why_again(Ending& ending);  // nullopt: it has ended
  std::optional<Ending> begin_again(const std::string& why);
  void finish(Ending ending);

  // Its place in the ledger, and its cores there (supervision_cores.cpp).
  std::int64_t enter_ledger();
  std::string look_at_quota();
  bool may_start();
  void note_wait(const std::string& text);

  // What a run on hosts has besides (supervision_hosts.cpp).
  bool wait_for_nodes(std::string& problem);
  void ask_for_nodes();
  void prepare_hosts(std::vector<std::string>& bad, std::vector<std::string>& problems);
  bool a_node_did_not_come();
  void note_queue();
  std::optional<Ending> go_to_hosts();
  bool choose_hosts(std::string& problem);
  std::vector<spec::Host> nodes_of_allocation() const;
  void start_agents();
  bool wait_for_agents();
  void look_at_hosts();
  void leave_hosts(Ending& ending);
  void name_first_failure(Ending& ending) const;
  void fail_for_loss(Ending& ending) const;

  Ending ending_before_start(const std::string& what);
  Ending ending_without_keeper();
  void call_off(const std::string& problem);

  // One wait of at most timeout_ms for keeper and signals; looks at the store when it is time to.
  void listen(int timeout_ms);
  void hear_keeper();
  void look_at_store();
  void look_after_others();
  void hear_clients();
  void sample_machine(std::int64_t now_ms);
  void stop(const StopRequest& request);
  bool over() const { return stop_ || keeper_gone(); }
  bool keeper_gone() const { return channel_.closed() && !ending_; }

  void set_state(history::RunState state, const history::Outcome& outcome = {});
  bool cancel_was_requested();
  void leave_ledger();

  Workspace workspace_;
  plan::Plan plan_;
  Limits limits_;
  ProcessId keeper_;
  Channel channel_;
  SignalFd signals_;
  std::unique_ptr<Ledger> ledger_;
  JournalIntake journals_;
  std::unique_ptr<tracking::Endpoint> endpoint_;   // while the program runs; null: none could be opened
  std::unique_ptr<slurm::Allocation> allocation_;  // of a run in a cluster
  std::vector<std::string> bad_nodes_;             // of the cluster, that it will not ask for again
  std::unique_ptr<hosts::Agents> agents_;          // of a run on hosts, from before its program to after it
  int tunnel_ = 0;                                 // the port of the nodes that leads to the endpoint
  std::unique_ptr<history::Store> store_;
  std::optional<machine::SystemMetrics>
      machine_;  // from the start of the program to its end, if its samples are wanted
  std::int64_t epoch_ = 0;
  std::int64_t ticket_ = no_ticket;  // of the ledger
  std::optional<pid_t> program_;     // once the keeper said that it started
  std::optional<StopRequest> stop_;  // the run is to end
  std::optional<Ending> ending_;     // once the keeper said how it ended
  bool started_ = false;             // the keeper was told to start
  std::int64_t started_ms_ = 0;      // monotonic
  std::int64_t next_look_ms_ = 0;    // monotonic: at the store
  std::int64_t next_round_ms_ = 0;   // monotonic: at runs that others left behind
  std::int64_t next_sample_ms_ = 0;  // monotonic: of the machine
  std::int64_t sampling_interval_ms_ = 0;
  int restarts_ = 0;
  int preemptions_ = 0;
  bool preempted_ = false;               // the cluster has taken the nodes of this attempt away
  std::int64_t next_queue_look_ms_ = 0;  // monotonic
  std::string trouble_;                  // with the store, as it was said last
  std::string queue_;                    // why it waits, as it was written last
  std::string asked_again_;              // why, while it waits for other nodes than those it had
  compute::QuotaFile quotas_;
  std::optional<int> cores_limit_;  // of its cores, as the ledger was told
  bool stopped_for_loss_ = false;   // stop_ is ours, of an attempt that lost a host
  std::int64_t lost_ms_ = 0;        // monotonic: when a host was found to be gone
};

}  // namespace lockstep::supervise
