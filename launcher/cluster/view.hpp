// What a cluster looks like now.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/process.hpp"
#include "launcher/cluster/folder.hpp"
#include "launcher/cluster/spec.hpp"

namespace lockstep::cluster {

struct Daemon {
  std::string name;  // munged, mariadbd, slurmdbd, slurmctld, or the node
  pid_t pid = 0;     // 0: never started, or stopped
  bool is_alive = false;
};

struct NodeState {
  std::string name;
  std::string state;  // Slurm's words, as idle or idle+cloud+powered_down
};

struct JobState {
  std::string id;
  std::string name;
  std::string state;  // Slurm's word, as RUNNING
  std::string partition;
  std::string nodes;   // "" while it waits
  std::string reason;  // why it waits
};

struct View {
  ClusterSpec spec;
  std::vector<Daemon> daemons;
  std::vector<NodeState> nodes;  // none when slurmctld does not answer
  std::vector<JobState> jobs;
  std::string problem;  // why there are none; "" otherwise
};

std::optional<View> look_at(const ClusterFolder& folder);  // nullopt: there is no cluster

// The answers of `scontrol -o show nodes` and of `squeue` with job_format.
inline constexpr const char* job_format = "%i|%T|%P|%N|%r|%j";
std::vector<NodeState> parse_nodes(std::string_view text);
std::vector<JobState> parse_jobs(std::string_view text);

}  // namespace lockstep::cluster
