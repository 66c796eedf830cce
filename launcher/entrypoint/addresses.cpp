#include "launcher/entrypoint/addresses.hpp"

#include "common/host_list.hpp"

namespace lockstep::entrypoint {

std::vector<std::string> node_addresses(const RankPlace& place, const Environment& environment) {
  const auto count = static_cast<std::size_t>(place.node_count);
  for (const char* name : {"LOCKSTEP_NODES", "AZ_BATCH_HOST_LIST", "SLURM_STEP_NODELIST"}) {
    auto addresses = expand_host_list(value_of(environment, name));
    if (addresses.size() == count) return addresses;
  }
  if (count == 1) return {"127.0.0.1"};
  return {};
}

}  // namespace lockstep::entrypoint
