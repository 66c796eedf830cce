#include "cli/commands.hpp"

namespace lockstep::cli {

void add_job_commands(const Command& root) {
  const Command job = root.add("job", "Submit, list, follow and stop runs",
                               "lockstep job create -f train.yml\n"
                               "lockstep job list\n"
                               "lockstep job stream brave_otter_k3x9m2pq");
  add_job_create(job);
  add_job_list(job);
  add_job_stream(job);
  add_job_changes(job);
  add_job_download(job);
  add_job_artifacts(job);
}

}  // namespace lockstep::cli
