// The slots of this machine, and the ports at which its runs meet: one ledger for all workspaces (design.md, "The queue
// of one machine").
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/file.hpp"
#include "common/process.hpp"

namespace lockstep::supervise {

// One waiting or running run's entry. It lives as long as its owner process; entries of dead owners are swept.
struct LedgerEntry {
  std::int64_t ticket = 0;  // strict order
  std::string run_id;
  std::string workspace;
  int slots = 0;
  bool running = false;
  int first_port = 0;  // 0: none reserved
  int ports = 0;
  ProcessId owner = {};
};

class Ledger {
 public:
  Ledger(fs::path folder, int machine_slots);  // runtime_folder(), this_machine().slots
  // The ticket lives as long as `owner`: the process that outlives the run's ranks (the keeper), else the caller.
  std::int64_t enter(const std::string& run_id, const std::string& workspace, int slots,
                     ProcessId owner = this_process());
  // True when the run may start now: everybody before it is running and enough slots are free; or nobody runs and it
  // is larger than the machine. Marks it running. Throws not_found when the ledger knows the ticket no more.
  bool try_start(std::int64_t ticket);
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
