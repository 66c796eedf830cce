// The nodes of one run in a Slurm cluster, from asking to giving back.
#pragma once

#include <poll.h>

#include <optional>
#include <string>
#include <vector>

#include "common/process.hpp"
#include "launcher/slurm/commands.hpp"
#include "launcher/slurm/queue.hpp"

namespace lockstep::slurm {

class Allocation {
 public:
  Allocation(spec::SlurmEngine engine, const Request& request);  // asks; throws failure when there is no salloc
  ~Allocation();                                                 // gives it back
  Allocation(const Allocation&) = delete;
  Allocation& operator=(const Allocation&) = delete;

  void add_to(std::vector<pollfd>& waiting) const;
  void hear();  // without waiting

  std::optional<std::int64_t> job_id() const { return job_id_; }          // as soon as Slurm has said it
  std::int64_t id() const;                                                // of one that has it; else throws failure
  bool granted() const { return granted_; }                               // and all its nodes are up
  const std::optional<std::string>& refusal() const { return refusal_; }  // it will not be given; why
  std::vector<std::string> nodes() const;                                 // once granted, in Slurm's order

  void give_back();

 private:
  void understand(const std::string& line);
  void end_of_salloc();

  spec::SlurmEngine engine_;
  ProcessId salloc_;
  Fd said_;
  std::string line_;
  std::string last_error_;
  std::string limit_;  // Slurm's name of the one that refused it
  std::optional<std::int64_t> job_id_;
  bool granted_ = false;
  bool given_back_ = false;
  std::optional<std::string> refusal_;
};

// "", or what Slurm did to it: "was preempted", "reached its time limit", "lost a node".
bool was_preempted(const std::string& job);  // as `scontrol show job` tells of it
std::string what_became_of(const spec::SlurmEngine& engine, std::int64_t job_id);
bool is_completing(const spec::SlurmEngine& engine, std::int64_t job_id);  // its nodes are being cleaned
// Of a job that was given nodes, which then could not be had: those that are of no use, with Slurm's reasons; "" if
// none is, or Slurm does not say.
std::string trouble_of_nodes(const spec::SlurmEngine& engine, std::int64_t job_id);

// So that whoever closes a dead supervisor's run can give its nodes back. To be noted before they are asked for: the
// supervisor may die before it hears which job it is, so jobs are found by their name.
void note_request(const fs::path& file, const spec::SlurmEngine& engine, const Request& request);  // durable
void give_back_noted(const fs::path& file);  // nothing is noted, or all of it has ended already: nothing

}  // namespace lockstep::slurm
