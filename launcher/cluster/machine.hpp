// The machine behind a node that a compute's own commands make and remove.
#pragma once

#include <string>

#include "launcher/autoscale/scaled_nodes.hpp"

namespace lockstep::cluster {

// A line, or several, in the node's log, with the time.
void note_of_node(const autoscale::SlurmFolder& folder, const std::string& node, const std::string& text);

class Machine {
 public:
  // `owner` and `folder` live as long as this. What is done is told in the node's log.
  Machine(const autoscale::SlurmFolder& folder, const autoscale::ScaledNodes& owner, std::string node);

  // Runs the command that makes it, as often as the provider says and within its time. "", or why it is not there: the
  // command's last line. What a killed try may have left is known to be there, so that remove() removes it.
  std::string create();

  // Runs the command that removes it, unless it was never made. "", or why it may still be there.
  std::string remove();

 private:
  std::string try_command(const std::string& command, std::int64_t deadline_ms, std::string& output);
  std::string repeat(const std::string& what, const std::string& command, std::string& output);
  void take_address(const std::string& output) const;
  void note(const std::string& text) const { note_of_node(folder_, node_, text); }

  const autoscale::SlurmFolder& folder_;
  const autoscale::ScaledNodes& owner_;
  std::string node_;
};

// Slurm's word on a node. Throws failure when it does not take it.
void update_node(const autoscale::SlurmFolder& folder, const std::string& node, const std::vector<std::string>& words);

}  // namespace lockstep::cluster
