// Takes what a node's agent brings, into the run's folder of the workspace.
#pragma once

#include <map>
#include <set>
#include <string>

#include "common/run_folder.hpp"
#include "launcher/node/frames.hpp"

namespace lockstep::hosts {

// Which node brought which file. Nodes that write files of one name without sharing any each keep theirs: the first to
// come gets the place, the others' go below nodes/<node>/.
using Owners = std::map<std::string, int>;

class Receiver {
 public:
  Receiver(RunFolder folder, int node, Owners& owners);
  ~Receiver();  // what has come in part only goes
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // append, part and gone; other words are left alone. Throws failure for a path that leads out of the folder or to
  // where ranks write nothing, and when the disk does not take it.
  void take(const node::Frame& frame);

 private:
  fs::path place_of(const std::string& path);

  RunFolder folder_;
  int node_;
  Owners& owners_;
  std::set<fs::path> coming_;
};

}  // namespace lockstep::hosts
