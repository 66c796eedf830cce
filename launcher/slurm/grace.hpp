// How long a run that a cluster preempts has for saving, as Slurm tells of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "launcher/spec/compute.hpp"

namespace lockstep::slurm {

struct Grace {
  std::string partition = {};
  std::int64_t grace_time_s = 0;  // of the partition: TERM, and so long nothing else
  std::int64_t kill_wait_s = 0;   // of the cluster: then TERM again, and so long until KILL
  std::int64_t seconds() const { return grace_time_s + kill_wait_s; }
  bool operator==(const Grace&) const = default;
};

// From `scontrol --oneliner show partition` and `scontrol show config`. `partition` empty: the default one. nullopt:
// there is none of that name, or it does not preempt its jobs.
std::optional<Grace> read_grace(std::string_view partitions, std::string_view config, const std::string& partition);

// nullopt, too, when the cluster does not answer. A QOS may have a grace of its own, which is not looked at.
std::optional<Grace> grace_of(const spec::SlurmEngine& engine);

}  // namespace lockstep::slurm
