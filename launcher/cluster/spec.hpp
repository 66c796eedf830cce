// What a cluster in a box consists of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/file.hpp"

namespace lockstep::cluster {

struct License {
  std::string name;
  int count = 0;
};
License parse_license(const std::string& text);  // NAME:COUNT; bad_input for anything else

inline constexpr int most_nodes = 64;  // of each kind

struct ClusterSpec {
  int nodes = 2;        // n1, n2, ...: there from the beginning
  int cloud_nodes = 0;  // c1, c2, ...: started when a job wants them, stopped when they are idle
  int cores_per_node = 1;
  int memory_mb = 1024;    // of each node
  int idle_seconds = 120;  // after which a cloud node is stopped
  std::vector<License> licenses;
  bool accounting = false;  // slurmdbd over MariaDB: accounts, QOS, sacct
  std::string user;         // whom the daemons run as
  int first_port = 0;       // slurmctld's; those of the nodes and of slurmdbd follow

  std::vector<std::string> static_names() const;
  std::vector<std::string> daemon_names() const;  // in the order in which they are started, without the nodes
  int slurmdbd_port() const { return first_port + 1 + nodes; }
  int ports() const { return 1 + nodes + (accounting ? 1 : 0); }
};

int cores_of_machine();
int memory_share_mb(int nodes);  // of this machine's memory, for each of so many

void check(const ClusterSpec& spec);  // bad_input, with everything that is wrong

// As kept in the cluster's folder.
std::string to_json(const ClusterSpec& spec);
std::optional<ClusterSpec> spec_from_json(std::string_view text);  // nullopt: it is none of ours

}  // namespace lockstep::cluster
