// The slots of this machine: one ledger for all workspaces (design.md, "The queue of one machine").
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
  ProcessId owner;
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
  int position(std::int64_t ticket);  // 0: next; how many wait before it
  void leave(std::int64_t ticket);
  std::vector<LedgerEntry> entries();

 private:
  fs::path folder_;
  int machine_slots_;
};

}  // namespace lockstep::supervise
