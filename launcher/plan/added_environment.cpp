#include "launcher/plan/added_environment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "launcher/plan/references.hpp"

namespace lockstep::plan {

bool is_reserved(const std::string& variable) {
  return variable == "LOCKSTEP_RUN_ID" || variable == "LOCKSTEP_RUN_DIR" || variable == "LOCKSTEP_EXPERIMENT_NAME";
}

std::string addresses_of(const Plan& plan) {
  std::vector<std::string> addresses(plan.nodes.size(), "127.0.0.1");
  if (plan.remote) {
    for (std::size_t node = 0; node < addresses.size(); ++node) addresses[node] = plan.remote->hosts[node].address;
  }
  return fmt::format("{}", fmt::join(addresses, ","));
}

bool ranks_share_cores(const Plan& plan) {
  return (plan.remote ? plan.ranks.size() / plan.nodes.size() : plan.ranks.size()) > 1;
}

Environment base_environment(const Plan& plan, const Surroundings& surroundings, bool with_mpirun) {
  const auto& jobs_own = plan.job.environment_variables;
  const auto& host = surroundings.host_environment;
  const auto set_by_nobody = [&](const char* name) {  // ranks on hosts do not see this machine's variables
    return !jobs_own.contains(name) && (plan.remote || !host.contains(name));
  };
  const std::string one = "1";
  Environment added;
  added["LOCKSTEP_RUN_ID"] = plan.run_id;
  added["LOCKSTEP_RUN_DIR"] = plan.folder.root().string();
  added["LOCKSTEP_EXPERIMENT_NAME"] = plan.experiment_name;
  if (plan.remote || plan.nodes.size() > 1) added["LOCKSTEP_NODES"] = addresses_of(plan);
  std::string path("/usr/local/bin:/usr/bin:/bin");
  if (const auto hosts = host.find("PATH"); hosts != host.end()) path = hosts->second;
  if (const auto own = jobs_own.find("PATH"); own != jobs_own.end()) path = resolve_in(plan, own->second);
  // `lockstep-train` in a command is the one built with this lockstep.
  added["PATH"] = path_with(path, surroundings.lockstep_program.parent_path());
  if (with_mpirun && surroundings.as_root) {
    added["OMPI_ALLOW_RUN_AS_ROOT"] = one;
    added["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = one;
  }
  // Threads of several ranks on the same cores spin against each other: up to 80 times slower (docs/local-compute.md).
  if (ranks_share_cores(plan) && set_by_nobody("OMP_NUM_THREADS")) added["OMP_NUM_THREADS"] = one;
  if (set_by_nobody("PYTHONUNBUFFERED")) added["PYTHONUNBUFFERED"] = one;  // live logs, and none lost in a buffer
  return added;
}

void add_path_variables(Plan& plan) {
  const auto add_asset = [&](const char* kind, const std::string& name, const std::string& value) {
    plan.environment[std::string("AZURE_ML_") + kind + "_" + name] = value;
    plan.environment[std::string("AZ_BATCHAI_") + kind + "_" + name] = value;
    plan.environment["AZUREML_DATAREFERENCE_" + name] = value;
  };
  for (const auto& input : plan.inputs) {
    const auto declared = plan.job.inputs.find(input.name);
    if (declared == plan.job.inputs.end() || declared->second.is_literal) continue;
    add_asset("INPUT", input.name, resolve_in(plan, "${{inputs." + input.name + "}}"));
  }
  for (const auto& output : plan.outputs) add_asset("OUTPUT", output.name, output.path.string());
  for (const auto& [name, value] : plan.job.environment_variables) {
    if (name != "PATH") plan.environment[name] = resolve_in(plan, value);
  }
}

}  // namespace lockstep::plan
