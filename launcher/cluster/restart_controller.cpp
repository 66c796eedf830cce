#include <fmt/format.h>

#include "common/error.hpp"
#include "common/process_file.hpp"
#include "launcher/cluster/cluster.hpp"
#include "launcher/cluster/daemons.hpp"
#include "launcher/cluster/ports.hpp"
#include "launcher/cluster/processes.hpp"

namespace lockstep::cluster {

void restart_controller(const ClusterFolder& folder) {
  constexpr int patience_ms = 10'000;
  constexpr int limit_ms = 30'000;
  const auto spec = spec_from_json(read_file_if_exists(folder.record()).value_or(""));
  if (!spec) throw not_found("there is no cluster in {}", folder.root().string());
  const Environment environment = environment_for(folder, current_environment());
  if (const auto controller = read_process_file(folder.process_file("slurmctld"))) stop({*controller}, patience_ms);
  start_controller(folder, environment);
  const bool answers =
      wait_until([&] { return !runs(folder, "slurmctld") || is_listening(spec->first_port); }, limit_ms);
  if (!answers || !runs(folder, "slurmctld"))
    throw failure("slurmctld does not start. {}", last_words(folder, "slurmctld"));
}

}  // namespace lockstep::cluster
