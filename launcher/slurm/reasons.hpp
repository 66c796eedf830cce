// Slurm's words for why a job waits or is not taken, in words of a person's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lockstep::slurm {

// "sbatch: error: QOSGrpCpuLimit": the part that is the reason. It is a part of the line, and lives as long.
std::string_view without_prefix(std::string_view line);

// Whose limit a reason as QOSMaxCpuPerUserLimit names, on what, and for whom.
struct LimitReason {
  enum class Holder { qos, account };
  enum class Scope { all, user, account, job, node };
  Holder holder = Holder::qos;
  Scope scope = Scope::all;
  std::string_view thing = {};  // "cores", "nodes", "memory", "jobs", "submitted jobs", "time", ...
  bool is_budget = false;       // so many minutes of it, which are used up
  bool is_least = false;        // it must not ask for less
  bool operator==(const LimitReason&) const = default;
};
std::optional<LimitReason> limit_reason(std::string_view reason);  // nullopt: it is about something else

// Of a job that is pending: "all nodes that fit are taken".
std::string why_it_waits(std::string_view reason);

// Of a job that a limit has refused: "it wants more cores than QOS small gives". `qos`, `account`: those that it asked
// for; "": its own. The reason is one of limits.
std::string why_refused(const LimitReason& reason, const std::string& qos, const std::string& account);

}  // namespace lockstep::slurm
