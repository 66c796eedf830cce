// The agents of a run on hosts (launcher/node/agent.hpp), one on each node, as the supervisor has them.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "history/store/values.hpp"
#include "launcher/hosts/receiver.hpp"
#include "launcher/plan/plan.hpp"
#include "launcher/processes/rank_watch.hpp"

namespace lockstep::hosts {

struct AgentSettings {
  std::int64_t stop_grace_ms = 30'000;
  std::int64_t sampling_interval_ms = 0;  // 0: no samples
  int tunnel = 0;                         // a port of each node's loopback that leads to
  int port = 0;                           // this one of ours; 0: none
};

class Agents {
 public:
  // Starts them; the plan has its places. Throws failure when ssh can't be started at all.
  Agents(const plan::Plan& plan, const AgentSettings& settings);
  ~Agents();  // hangs up: an agent that was not dismissed ends the run on its node by itself
  Agents(const Agents&) = delete;
  Agents& operator=(const Agents&) = delete;

  void add_to(std::vector<pollfd>& waiting) const;
  void hear();  // takes what has come, without waiting; speaks when it is time to

  bool all_there() const;  // each has said hello
  void stop_ranks();       // TERM
  void let_ranks_begin();  // all nodes are prepared
  void finish();           // the ranks have ended: nothing stays on the nodes, everything comes here
  bool all_done() const;   // what is left of it has come, or never will
  void dismiss();          // all of it is kept: what the nodes have of it goes

  // The first node that is gone: "node-2 was lost: ...". What it had not sent yet stays there.
  const std::optional<std::string>& loss() const { return loss_; }
  // In the order in which their nodes told of them.
  const std::vector<processes::RankEnd>& ends() const { return ends_; }
  // Samples of the machines since the last call, named system/<node>/...
  std::vector<history::Metric> take_samples() { return std::exchange(samples_, {}); }
  const std::vector<std::string>& full_disks() const { return full_disks_; }  // nodes with no room for the run's files
  const std::vector<std::string>& unclean() const { return unclean_; }  // nodes where some process could not be ended

 private:
  struct Agent;
  void take(Agent& agent);
  void understand(Agent& agent, const node::Frame& frame);
  void lose(Agent& agent, const std::string& how, const char* verb = "was lost");
  void tell(Agent& agent, const node::Frame& frame);
  void flush(Agent& agent);
  void tell_all(const char* word);

  RunFolder folder_;
  Owners owners_;
  std::vector<std::unique_ptr<Agent>> agents_;
  std::optional<std::string> loss_;
  std::vector<history::Metric> samples_;
  std::vector<processes::RankEnd> ends_;
  std::vector<std::string> unclean_;
  std::vector<std::string> full_disks_;
  std::int64_t next_heartbeat_ms_ = 0;
  bool by_ssh_ = true;
};

}  // namespace lockstep::hosts
