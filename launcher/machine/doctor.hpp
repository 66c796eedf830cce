// What this machine can do of what lockstep does, and what it lacks for the rest.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/file.hpp"
#include "common/process.hpp"

namespace lockstep::machine {

enum class Health { ok, missing, broken };  // missing: a capability is not there; broken: it is, and does not work
std::string_view name_of(Health health);

struct Finding {
  std::string capability;  // what it is for
  Health health = Health::ok;
  bool needed = false;  // without it nothing runs
  std::string found;
  std::string remedy;  // "": nothing to do
};

// Where a doctor looks.
struct Patient {
  Environment environment;
  fs::path folder;                                                // where the workspace is or would be
  fs::path runtime_folder;                                        // of the ledger
  fs::path programs;                                              // the folder of lockstep-train
  std::chrono::milliseconds patience = std::chrono::seconds(20);  // for a program that is tried
};

// Every program is tried, none is believed: mpirun starts two processes, Python says what it can import. In the order
// in which a person would want to mend it. Changes nothing.
std::vector<Finding> examine(const Patient& patient);

}  // namespace lockstep::machine
