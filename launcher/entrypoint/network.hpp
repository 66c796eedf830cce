// Settings of NCCL, Gloo and UCX that fit the node: configs/network.json is the table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/file.hpp"
#include "common/process.hpp"

namespace lockstep::entrypoint {

struct Node {
  std::string vm_size;    // Azure's name of the machine's size; "": not known
  std::string interface;  // of the default route; "": there is none
  bool has_infiniband = false;
  bool has_gpus = false;
  bool has_peers = false;  // the job runs on other machines, too
};

// By what the kernel tells below `root`; "/" but in tests.
Node look_at_node(const Environment& environment, bool has_peers, const fs::path& root = "/");

struct Setting {
  std::string name;
  std::string value;
  std::string why;
};

// Of `table` (JSON, an array of {when, set, if_file, why}), every setting that fits the node. A later one of the same
// name wins. What `environment` has is left alone. Throws failure for a table that is none.
std::vector<Setting> settings_for(const Node& node, std::string_view table, const Environment& environment,
                                  const fs::path& root = "/");

std::string_view network_table();  // configs/network.json

}  // namespace lockstep::entrypoint
