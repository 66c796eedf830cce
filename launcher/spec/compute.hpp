// A compute: machines that jobs run on. Azure ML's compute YAML, and one section of ours, `engine`, that says how its
// machines are reached. docs/compute.md lists the keys.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/file.hpp"

namespace lockstep::spec {

enum class ComputeType { amlcompute, virtualmachine, computeinstance };
std::string_view name_of(ComputeType type);  // as the file has it

enum class Tier { dedicated, low_priority };
std::string_view name_of(Tier tier);
std::optional<Tier> tier_named(std::string_view text);  // in upper or lower case; Azure's REST says LowPriority

// A machine that is reached by ssh.
struct Host {
  std::string name;     // what runs, logs and errors call it; its address, unless the file says otherwise
  std::string address;  // for ssh: a name of DNS, of /etc/hosts or of an ssh config, or a number
  std::optional<int> slots = std::nullopt;  // how many ranks it is meant for; nullopt: as many as it has cores
  bool operator==(const Host&) const = default;
};

// What is empty is left to ssh and its own configuration.
struct SshAccess {
  std::string user = {};
  std::optional<int> port = std::nullopt;
  fs::path identity_file = {};                // absolute
  fs::path config_file = {};                  // absolute; in place of ~/.ssh/config
  std::string strict_host_key_checking = {};  // ssh's own words: yes, accept-new, no
  bool operator==(const SshAccess&) const = default;
};

struct HostsEngine {
  std::vector<Host> hosts;  // at least one, each name once
  SshAccess ssh = {};
  bool shared_files = false;  // every host sees the workspace's folder at the same path as this machine
  fs::path scratch = {};      // absolute, on the hosts: for our program, and for runs where no files are shared
  bool operator==(const HostsEngine&) const = default;
};

// Who makes the nodes of a cluster when runs need them, and removes them when nobody does.
struct NodeProvider {
  bool is_local = false;    // processes of this machine, in a cluster in a box
  std::string create = {};  // else: commands for sh, for one node
  std::string remove = {};
  int timeout_s = 600;      // within which a node must have come, all tries included
  int tries = 3;            // of each command
  int retry_after_s = 300;  // how long a node that did not come counts as unusable
  bool operator==(const NodeProvider&) const = default;
};

// A Slurm cluster, which says which machines a run gets.
struct SlurmEngine {
  fs::path config_file = {};  // absolute; slurm.conf; empty: where Slurm's own commands look
  std::string partition = {};
  std::string account = {};
  std::string qos = {};
  std::string constraint = {};
  std::string license = {};               // of which a run asks for as many as it has cores by the compute's size
  std::vector<std::string> options = {};  // more of sbatch's, as they are
  std::optional<NodeProvider> provider = std::nullopt;  // then the partition and its nodes are the compute's own
  std::string nodes_of = {};                            // and here its own partition, of the nodes of that compute
  bool shared_files = true;                             // as of hosts; clusters usually do
  fs::path scratch = {};
  bool scales() const { return provider || !nodes_of.empty(); }
  bool operator==(const SlurmEngine&) const = default;
};

struct Compute {
  std::string name = {};
  ComputeType type = ComputeType::amlcompute;
  std::string description = {};
  std::map<std::string, std::string> tags = {};
  std::string location = {};
  std::string size = {};  // one of Azure's VM sizes, as configs/vm_sizes.yml spells it; empty: not said
  int min_instances = 0;
  std::optional<int> max_instances = std::nullopt;
  std::optional<int> idle_time_before_scale_down = std::nullopt;  // seconds
  Tier tier = Tier::dedicated;
  std::optional<HostsEngine> hosts = std::nullopt;  // the engine; none of these: it is recorded and runs nothing
  std::optional<SlurmEngine> slurm = std::nullopt;
  std::string node_preparation = {};  // for sh, as root, on each machine before its first run; empty: none
  int node_preparation_timeout_s = 1800;
  bool network_check = true;               // of the nodes of each run, before it begins
  std::vector<std::string> recorded = {};  // keys of the file that have no effect here, for a note
  bool operator==(const Compute&) const = default;
};

// A definition and its text as it is kept: defaults left out, paths absolute, passwords masked (ssh uses keys), `sets`
// applied. Relative paths of the file are relative to `folder`. All mistakes at once, as InputErrors.
struct ReadCompute {
  Compute compute;
  std::string yaml;
};
ReadCompute read_compute(std::string_view text, const std::string& file_name, const fs::path& folder,
                         const std::vector<std::string>& sets = {});
ReadCompute read_compute_file(const fs::path& path, const std::vector<std::string>& sets = {});  // not_found, failure

}  // namespace lockstep::spec
