// The compute `local`: brings inputs and code to where a plan says they will be, and asks the machine what it has.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "launcher/plan/plan.hpp"

namespace lockstep::compute {

plan::LocalCompute this_machine();  // slots: $LOCKSTEP_SLOTS, else the number of cores

// Everything that would keep the plan from starting, found by looking: inputs or code that do not exist or are of
// another type, too much code, outputs that are in the way, no mpirun. Empty: go ahead. Creates nothing; call it before
// submit.
std::vector<Diagnostic> check(const plan::Plan& plan);

// What an input turned out to be: recorded as tags of the run.
struct InputRecord {
  std::string name;
  std::string source;
  std::string sha256;  // of fetched files; empty for those used in place
  std::uint64_t bytes = 0;
  bool from_cache = false;
};

struct Prepared {
  std::vector<InputRecord> inputs;
  std::uint64_t snapshot_files = 0;
  std::uint64_t snapshot_bytes = 0;
  std::string snapshot_sha256;  // over names and contents, in order of name
};

// Snapshots the code, fetches inputs (and sets their paths in the plan), makes output folders. Progress goes to
// `say`, one line a call. `canceled` is asked now and then; when it says true this throws failure("canceled").
// Throws with a message that says what to do; the run folder stays for the person to look at.
// Fetched inputs are safe from eviction until this process ends: call it in the process that lives as long as the run.
Prepared prepare(plan::Plan& plan, const std::function<void(const std::string&)>& say,
                 const std::function<bool()>& canceled);

// After the run. ./outputs and ./logs of the working folder are links to the run's outputs/ and logs/user/, so what the
// ranks write there is in place at once and survives everything; this gathers what they left elsewhere (a folder that
// replaced the link), never over a file that is there, and says what each declared output holds.
void collect(const plan::Plan& plan, const std::function<void(const std::string&)>& say);

}  // namespace lockstep::compute
