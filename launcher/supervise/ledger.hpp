// What the runs of this machine share: its slots, the hosts that it reaches by ssh, and the ports at which runs meet.
// One ledger for all workspaces (design.md, "The queue of one machine").
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/file.hpp"
#include "common/process.hpp"
#include "launcher/supervise/cores.hpp"

namespace lockstep::supervise {

// One waiting or running run's entry. It lives as long as its owner process; entries of dead owners are swept.
struct LedgerEntry {
  std::int64_t ticket = 0;  // strict order
  std::string run_id;
  std::string workspace;
  int slots = 0;  // of this machine; 0 when it runs elsewhere
  bool running = false;
  int first_port = 0;  // 0: none reserved
  int ports = 0;
  ProcessId owner = {};
  int nodes = 0;                        // whole hosts that it needs, out of
  std::vector<std::string> hosts = {};  // these: all that it may have; the first `nodes` are its own while it runs
  Cores cores = {};                     // that it has, or waits for, under a quota
};

bool takes_slots(const LedgerEntry& entry);  // of this machine

// The hosts that a running entry has; of a waiting one, those that it may come to have.
std::span<const std::string> claimed(const LedgerEntry& entry);
bool may_meet(const LedgerEntry& a, const LedgerEntry& b);  // on some host

class Ledger {
 public:
  Ledger(fs::path folder, int machine_slots);  // runtime_folder(), this_machine().slots
  // The ticket lives as long as `owner`: the process that outlives the run's ranks (the keeper), else the caller.
  std::int64_t enter(const std::string& run_id, const std::string& workspace, int slots,
                     ProcessId owner = this_process());
  // For a run on hosts: it needs `nodes` of them, each for itself alone. They are known by their addresses.
  std::int64_t enter_for_hosts(const std::string& run_id, const std::string& workspace,
                               const std::vector<std::string>& hosts, int nodes, ProcessId owner = this_process(),
                               const Cores& cores = {});
  // For a run in a cluster, which gives it its nodes: only its cores are counted here.
  std::int64_t enter_for_cores(const std::string& run_id, const std::string& workspace, const Cores& cores,
                               ProcessId owner = this_process());
  void limit_cores(std::int64_t ticket, std::optional<int> limit);  // the quota has changed; not_found as below
  // True when the run may start now: everybody before it is running and enough slots are free; or nobody runs and it
  // is larger than the machine. Marks it running. Throws not_found when the ledger knows the ticket no more. Of runs on
  // hosts only those wait for each other that may have one in common. A run with cores waits until they are within its
  // limit, too; whoever waits for cores alone keeps no hosts from others.
  bool try_start(std::int64_t ticket);
  std::vector<std::string> hosts_of(std::int64_t ticket);  // once it may start: its own, in the order of its nodes
  // Those of its hosts that are no good go back, and it gets free ones instead: as many as there are of those that it
  // wants, but not fewer than `least`. How many it has now; 0: there are too few, and it has what it had. What it
  // counts with under a quota does not change.
  int exchange(std::int64_t ticket, const std::vector<std::string>& bad, int wanted, int least);
  // The first of `count` ports in a row that no other run has and nobody on this machine listens at, from Azure ML's
  // 6105 on. They are the ticket's as long as it lives; asked again, the answer is the same. failure when there are
  // none.
  int reserve_ports(std::int64_t ticket, int count);
  int position(std::int64_t ticket);  // 0: next; how many wait before it
  void leave(std::int64_t ticket);
  std::vector<LedgerEntry> entries();

 private:
  fs::path folder_;
  int machine_slots_;
};

}  // namespace lockstep::supervise
