// Any bytes as what slurmctld tells of QOS, accounts and jobs: a limit is never negative, and a job that waits says
// why.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "launcher/slurm/limits.hpp"
#include "launcher/slurm/queue.hpp"
#include "launcher/slurm/reasons.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  const std::string text(data, data + size);
  for (const char* thing : {"cores", "nodes", "jobs"}) {
    auto limits = slurm::read_account_limits(text, "a", "u", thing);
    for (const auto& limit : {slurm::read_qos_limit(text, "q", thing), slurm::read_user_limit(text, "q", 0, thing),
                              slurm::read_job_limit(text, "q", thing)}) {
      if (limit) limits.push_back(*limit);
    }
    for (const auto& limit : limits) {
      if (limit.most < 0 || limit.in_use < 0 || limit.of.empty()) std::abort();
    }
    if (slurm::read_qos_limit(text, "q", thing) && !slurm::has_any_qos_limit(text, thing)) std::abort();
  }
  if (slurm::keeps_limits(text) && text.find("limits") == std::string::npos) std::abort();
  if (slurm::read_partition_qos(text, "") == "N/A") std::abort();
  const auto rows = slurm::read_queue(text);
  for (const auto& row : rows) {
    if (slurm::why_it_waits(row.reason).empty()) std::abort();
  }
  if (!rows.empty() && rows[0].state == "PENDING" && slurm::queue_text(rows, rows[0].job_id).empty()) std::abort();
  return 0;
}
