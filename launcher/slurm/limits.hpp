// The limits of a QOS or of an account, and what of them is in use, as slurmctld counts it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/slurm/nodes.hpp"

namespace lockstep::slurm {

struct Limit {
  std::string of;  // "QOS small", "account vision", "user ada in account vision"
  std::int64_t most = 0;
  std::int64_t in_use = 0;
  bool operator==(const Limit&) const = default;
};

// From `scontrol --oneliner show assoc_mgr`. `thing`: cores, nodes or jobs. nullopt: there is no such limit.
std::optional<Limit> read_qos_limit(std::string_view said, const std::string& qos, std::string_view thing);
// Of what the QOS gives one user. Slurm tells it of users who have jobs.
std::optional<Limit> read_user_limit(std::string_view said, const std::string& qos, uid_t user, std::string_view thing);
// Of what the QOS gives one job (in_use is 0).
std::optional<Limit> read_job_limit(std::string_view said, const std::string& qos, std::string_view thing);
// Whether there is a QOS that limits what all its jobs have of it.
bool has_any_qos_limit(std::string_view said, std::string_view thing);
// Of the account and of its user: a job must be within each of them.
std::vector<Limit> read_account_limits(std::string_view said, const std::string& account, const std::string& user,
                                       std::string_view thing);

// From `scontrol show config`: whether it enforces limits, or only has them written down.
bool keeps_limits(std::string_view said);

// From `scontrol --oneliner show partition`; "": it has none.
std::string read_partition_qos(std::string_view said, const std::string& partition);

// The fewest that so many nodes have together; 0: there are not so many.
std::int64_t least_cores(const std::vector<NodeRow>& nodes, int count);

}  // namespace lockstep::slurm
