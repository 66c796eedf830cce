// What a run will do, all of it, before anything is done. plan() is pure: it reads no file, no clock, no environment;
// whatever it needs to know of the outside comes in `Surroundings`.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/process.hpp"
#include "common/run_folder.hpp"
#include "launcher/spec/compute.hpp"
#include "launcher/spec/job.hpp"

namespace lockstep::plan {

// The compute `local`: this machine.
struct LocalCompute {
  std::string host_name;
  int slots = 1;  // a slot is one rank; default as many as cores
};

// Other machines. A run has whole ones for itself.
struct RemoteCompute {
  std::string name;
  bool shared_files = false;
  fs::path scratch;         // on each of them
  fs::path node_program;    // the entrypoint on each of them, absolute
  int gpus = 0;             // of each, by the compute's VM size; 0: not said
  std::string family = {};  // of that size, that quotas are counted for; empty: no size is said, and nothing counts
  spec::Tier tier = spec::Tier::dedicated;
  int vcpus = 0;                      // of each
  std::string node_preparation = {};  // for sh, on each of them after its start; empty: none
  int node_preparation_timeout_s = 0;
  bool network_check = true;                     // whether its nodes exchange messages before a run begins
  std::optional<int> most_nodes = std::nullopt;  // that a run may ask for
  // Hosts that are reached by ssh; what ssh is told of them is a file of ours, whose path has no blanks.
  std::optional<spec::HostsEngine> hosts = std::nullopt;
  fs::path ssh_config = {};
  // Or a cluster that says which nodes a run gets.
  std::optional<spec::SlurmEngine> slurm = std::nullopt;
};

using Compute = std::variant<LocalCompute, RemoteCompute>;

// What a plan depends on besides the job.
struct Surroundings {
  std::string run_id;
  fs::path run_folder;
  fs::path cache_folder;
  fs::path lockstep_program;  // absolute path of the command itself: ranks start through its `entrypoint`
  std::string experiment_name;
  std::string display_name;
  std::string user;
  Environment host_environment;  // what the ranks inherit
  bool as_root = false;
};

// How an input gets to the ranks.
struct InputStep {
  enum class How { literal, in_place, fetch };  // fetch: http(s) into the cache
  std::string name;
  How how = How::literal;
  std::string source;  // literal text, absolute local path, or URL
  fs::path path;       // what ${{inputs.name}} becomes; for fetch: known when it was fetched (empty before)
  spec::AssetType type = spec::AssetType::uri_folder;
  fs::path sent_from = {};  // on this machine; not empty: it is sent to the nodes, where `path` is
};

struct OutputStep {
  std::string name;
  fs::path path;  // what ${{outputs.name}} becomes
  spec::AssetType type = spec::AssetType::uri_folder;
  fs::path place = {};  // where it is in the end, on this machine
};

// Of a run on other machines.
struct RemotePart {
  RemoteCompute compute;
  std::vector<spec::Host> hosts = {};  // of the nodes, in their order; before place(): the first that it might get
  RunFolder folder{fs::path()};        // the run's folder as its ranks see it; without shared files, each node's own
  std::optional<std::int64_t> slurm_job = {};  // its allocation, once it has one
};

struct Rank {
  int rank = 0;
  int node = 0;
  int local_rank = 0;     // on its node
  std::string task = {};  // of a TensorFlow job: "worker 0", "ps 1"
};

struct Plan {
  std::string run_id;
  std::string experiment_name;
  std::string display_name;
  std::string user;
  std::string compute = "local";
  spec::CommandJob job;
  RunFolder folder{fs::path()};
  std::vector<std::string> nodes;    // one name per node; on `local` "<host>", or "<host>/0", "<host>/1", ...
  std::optional<RemotePart> remote;  // nullopt: on this machine
  std::vector<Rank> ranks;
  int slots = 1;  // taken from the machine's ledger
  int ports =
      1;  // at which its processes listen: MASTER_PORT, and of a TensorFlow job as many from there as it has ranks
  bool oversubscribed = false;
  std::optional<fs::path> code;  // the folder to snapshot
  fs::path working_folder;       // the snapshot, where ranks start
  std::vector<InputStep> inputs;
  std::vector<OutputStep> outputs;
  std::string command;      // for bash -c; ${{inputs.x}} of fetched inputs still in it (see resolve_command)
  std::string preparation;  // likewise, once on each node before any rank starts; empty: none
  // The whole argument list that starts the run: mpirun ..., or the entrypoint itself when there is no distribution.
  // Its last element is a placeholder for the resolved command, see launch_argv().
  std::vector<std::string> argv;
  Environment environment;  // added to the host's environment; secrets in clear, so never print it: use to_json/to_text
  Environment secrets;      // what ${{secrets.X}} of environment_variables stand for; never printed
  std::optional<int> timeout_s;
  std::vector<std::string> notes;  // what a person should know: the environment is recorded only, oversubscribed, ...
};

// These throw failure for a run, or a compute, of another kind.
RemotePart& remote_of(Plan& plan);
const RemotePart& remote_of(const Plan& plan);
const spec::HostsEngine& hosts_of(const RemoteCompute& compute);
const spec::SlurmEngine& slurm_of(const RemoteCompute& compute);

int cores_of(const Plan& plan);  // that count against a quota: the vCPUs of all its nodes, by their size; 0: none do

// Throws bad_input (InputErrors where a place is known) for what this compute can't do.
Plan plan(const spec::CommandJob& job, const Compute& compute, const Surroundings& surroundings);

// A run on other machines has got these, one for each node.
void place(Plan& plan, std::vector<spec::Host> nodes);
std::vector<spec::Host> hosts_at(const Plan& plan, const std::vector<std::string>& addresses);  // of its compute

// The same run on so many of its nodes, with the ranks that it has there. Of a run on other machines, not of one that
// is on fewer nodes already. place() says which they are.
Plan on_fewer_nodes(const Plan& whole, int nodes);

// A fetched input has arrived: from now on ${{inputs.name}} is `path`, in the command and in the environment.
void set_input_path(Plan& plan, const std::string& name, const fs::path& path);

// After preparation, when every input has its path: the argv to start. failure if one has none. Ranks on hosts get
// these variables of mpirun's environment, too.
std::vector<std::string> launch_argv(const Plan& plan, const std::vector<std::string>& added_variables = {});

// For people and programs. Values of secret variables are masked, in the command line too.
nlohmann::json to_json(const Plan& plan);
std::string to_text(const Plan& plan);

}  // namespace lockstep::plan
