#include "launcher/entrypoint/node_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

namespace lockstep::entrypoint {

// Who started these ranks together: they see the same, and others do not.
static std::string origin(const Environment& environment) {
  if (const auto job = find_mpi_job(environment)) return "openmpi-" + job->job_id;
  const std::string slurm = value_of(environment, "SLURM_JOB_ID");
  const std::string step = value_of(environment, "SLURM_STEP_ID");
  if (!slurm.empty() && !step.empty()) {
    return fmt::format("slurm-{}-{}-{}", slurm, step, value_of(environment, "SLURM_RESTART_COUNT"));
  }
  const pid_t parent = ::getppid();
  return fmt::format("parent-{}-{}", parent, start_time_of(parent).value_or(0));
}

fs::path node_folder(const RankPlace& place, const Environment& environment) {
  fs::path folder;
  if (const std::string run = value_of(environment, "LOCKSTEP_RUN_DIR"); !run.empty()) {
    folder = RunFolder(run).node(place.node);
  } else {
    const std::string temporary = value_of(environment, "TMPDIR");
    const fs::path mine =
        fs::path(temporary.empty() ? "/tmp" : temporary) / fmt::format("lockstep-node-{}", ::geteuid());
    make_own_folder(mine);
    std::string name = fmt::format("{}-{}", origin(environment), place.node);
    std::replace(name.begin(), name.end(), '/', '_');
    folder = mine / name;
  }
  make_own_folder(folder);
  return folder;
}

}  // namespace lockstep::entrypoint
