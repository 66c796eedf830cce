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
  static constexpr int tick_ms = 100;  // the longest wait between two looks
  // A stop that is our own, after which the run may begin again. What others ask for overrules it.
  enum class OwnStop { none, loss, preemption };
  enum class NodeStage { waits, prepares, prepared, failed };  // of the job's preparation
  // Of a run's nodes those that it does without, as they are known to who gives them, and what is wrong.
  struct Unwell {
    std::vector<std::string> bad;
    std::vector<std::string> problems;
    // Of two that do not reach each other either may be the cause. Whoever stays, and does not reach the next one, is.
    std::string stayed;
    std::string left_out;
    bool network_was_unclear = false;
  };
  enum class Look { well, some_are_not, unclear };
  struct Again {
    std::string why;
    bool elsewhere = false;  // its nodes go back, and it waits for others
  };

  // The stages, in their order. Each returns an ending when the run ends there.
  Ending carry_out();
  bool wait_for_a_place(std::string& problem);
  bool wait_for_slots();
  std::optional<Ending> prepare();
  std::optional<int> reserved_port();
  void open_endpoint();
  Environment programs_environment() const;
  void start();
  Ending watch();
  std::optional<Again> why_again(Ending& ending);  // nullopt: it has ended
  std::optional<Ending> begin_again(const Again& again);
  std::optional<Ending> wait_for_a_place_again(bool elsewhere);
  void note_lost_steps();
  void note_stop_time();
  void record(const std::vector<history::Metric>& metrics, const std::vector<history::KeyValue>& tags);
  void finish(Ending ending);

  // Its place in the ledger, and its cores there (supervision_cores.cpp).
  std::int64_t enter_ledger();
  std::string look_at_quota();
  bool may_start();
  void note_wait(const std::string& text);

  // Of a job with a preparation (supervision_prepare.cpp).
  bool nodes_are_prepared();
  void let_ranks_begin();
  void tell_of_preparation(const std::string& line);

  // What a run on hosts has besides (supervision_hosts.cpp).
  bool wait_for_nodes(std::string& problem);
  void ask_for_nodes();
  Look look_at_nodes(Unwell& unwell);
  Look prepare_hosts(Unwell& unwell);
  Look look_at_network(Unwell& unwell);
  void leave_out(std::size_t bad, std::optional<std::size_t> or_else, Unwell& unwell);
  bool replace_nodes(const Unwell& unwell, std::string& problem);
  std::string known_as(const spec::Host& host) const;
  void wait_until_nodes_are_clean(std::int64_t job);
  bool a_node_did_not_come();
  void note_queue();
  std::optional<Ending> go_to_hosts();
  bool choose_hosts(std::string& problem);
  void take_hosts();
  bool exchange_hosts(const std::vector<std::string>& bad, int least);
  int least_nodes(bool some_are_bad) const;
  history::Outcome with_nodes() const;
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
  void stop(const StopRequest& request, OwnStop own = OwnStop::none);
  void heed_overruling(Ending& ending) const;
  bool over() const { return stop_ || keeper_gone(); }
  bool keeper_gone() const { return channel_.closed() && !ending_; }

  void set_state(history::RunState state, const history::Outcome& outcome = {});
  bool cancel_was_requested();
  void leave_ledger();

  Workspace workspace_;
  plan::Plan plan_;
  std::optional<plan::Plan> whole_;  // of a run that may go on with fewer nodes: as it is with all of them
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
  std::string queue_;                    // why it waits, as it was written last
  std::string trouble_;                  // with the store, as it was said last
  std::string asked_again_;              // why, while it waits for other nodes than those it had
  bool lost_nodes_ = false;              // in some attempt
  bool could_not_begin_ = false;         // this attempt: for its nodes' sake, and they may be well the next time
  compute::QuotaFile quotas_;
  std::optional<int> cores_limit_;            // of its cores, as the ledger was told
  OwnStop own_stop_ = OwnStop::none;          // whether stop_ is ours
  bool overruled_ = false;                    // stop_ has taken the place of one of ours, which the keeper was told
  bool running_ = false;                      // this attempt: its ranks run
  std::vector<NodeStage> node_stages_;        // in the order of nodes
  std::optional<std::int64_t> reached_step_;  // by the attempt before; until the next one has said where it goes on
  std::int64_t lost_steps_ = 0;               // in all attempts
  std::int64_t lost_unsaved_ms_ = 0;          // likewise, of a program that does not count its steps
  std::int64_t stop_asked_ms_ = 0;            // monotonic, of this attempt
  std::optional<std::int64_t> stop_took_ms_;  // until its ranks had saved and left
  std::int64_t lost_ms_ = 0;                  // monotonic: when a host was found to be gone
};

}  // namespace lockstep::supervise
