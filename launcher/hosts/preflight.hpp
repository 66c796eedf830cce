// Whether hosts can run what they are to run, asked before a run pays for it: every check has a time limit, every
// problem names its host and says what to do.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "launcher/node/probe.hpp"
#include "launcher/plan/plan.hpp"

namespace lockstep::hosts {

// Our programs as they lie on each host: named by what they hold, so that a new version is another folder.
struct NodePrograms {
  fs::path here;   // the folder of lockstep-entrypoint (and lockstep-train) on this machine
  fs::path there;  // their folder on the hosts
};
NodePrograms node_programs(const fs::path& lockstep_program, const fs::path& scratch);  // failure: not there

// A compute of other machines, ready to be planned for. bad_input: it has no engine.
plan::RemoteCompute compute_of(const spec::Compute& compute, const fs::path& lockstep_program);

struct HostReport {
  spec::Host host;
  std::optional<node::Probe> probe;   // nullopt: it could not be asked
  std::vector<std::string> problems;  // empty: it is well
};

// What a host must have.
struct Needs {
  fs::path file_to_see;  // of the workspace; empty: no files are shared
  std::string text_to_see;
  std::string open_mpi;  // this machine's; empty: not known
  int gpus = 0;
  std::map<std::string, double> usual_speed = {};  // by address; a host at less than half of it is not well
};
std::vector<std::string> problems_of(const spec::Host& host, const node::Probe& probe, const Needs& needs,
                                     std::int64_t now_ms);

// Asks these hosts, all at once; copies our programs to those that have not got them. In the order of `hosts`.
std::vector<HostReport> examine(const plan::RemotePart& remote, const std::vector<spec::Host>& hosts,
                                const NodePrograms& programs, const Needs& needs,
                                const std::function<bool()>& canceled);

// The whole of it: sees to it that there is a file to see, knows the usual speeds and learns from this look.
std::vector<HostReport> preflight(const Workspace& workspace, const plan::RemotePart& remote,
                                  const std::vector<spec::Host>& hosts, const fs::path& lockstep_program,
                                  const std::function<bool()>& canceled);

}  // namespace lockstep::hosts
