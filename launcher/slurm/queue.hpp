// What waits and runs in a cluster: one squeue for all of our runs (kept_answer.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/spec/compute.hpp"

namespace lockstep::slurm {

struct QueueRow {
  std::int64_t job_id = 0;
  std::string state;   // Slurm's: PENDING, CONFIGURING, RUNNING, ...
  std::string reason;  // why it is pending: Resources, Priority, Licenses, ...; None
  int nodes = 0;
  std::string node_list;  // "n[1-2]"; of those that run
  std::string partition;
  std::int64_t priority = 0;
  std::string qos;
  std::string account;
  std::string name;  // of the job: of ours "lockstep-<run id>"
  bool operator==(const QueueRow&) const = default;
};

std::vector<std::string> squeue_argv();
std::vector<QueueRow> read_queue(std::string_view squeue_output);  // lines that are no row are left out

// Throws failure when squeue fails or does not answer in ten seconds. `folder`: where the last answer is kept. One that
// was given before `job_id` was submitted tells nothing of it, and is not taken.
std::vector<QueueRow> queue(const spec::SlurmEngine& engine, const fs::path& folder,
                            std::optional<std::int64_t> job_id = std::nullopt);

// "2 jobs wait before it; it needs 2 nodes of main: all fitting nodes are taken", of a job that is pending or whose
// nodes are starting; "" of any other. `licenses`: those that it asked for; `limit`: what is known of the limit that it
// waits for (limit_text).
std::string queue_text(const std::vector<QueueRow>& rows, std::int64_t job_id, const std::string& licenses = "",
                       const std::string& limit = "");

}  // namespace lockstep::slurm
