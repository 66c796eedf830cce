#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {

namespace {
using Status = VariableRow::Status;

std::string given(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// Ranks of a run are on one machine in this version, so they meet at its loopback address. A job (or whoever calls the
// entrypoint by hand) that names another meeting point is believed: two runs on one machine can't share a port.
std::string master_address(const RankPlace&, const Environment& environment) {
  const std::string own = given(environment, "MASTER_ADDR");
  return own.empty() ? "127.0.0.1" : own;
}
std::string master_port(const RankPlace&, const Environment& environment) {
  const std::string own = given(environment, "MASTER_PORT");
  return own.empty() ? "6105" : own;  // Azure ML's
}

bool has_mpi(const Environment& environment) {
  return environment.contains("OMPI_COMM_WORLD_RANK") || environment.contains("PMI_RANK");
}

std::string master_of_mpi(const RankPlace& place, const Environment& environment) {
  return has_mpi(environment) ? master_address(place, environment) : "";
}
std::string master_node(const RankPlace& place, const Environment& environment) {
  return has_mpi(environment) ? master_address(place, environment) + ":" + master_port(place, environment) : "";
}
// One entry a node: programs count them.
std::string host_list(const RankPlace& place, const Environment& environment) {
  if (!has_mpi(environment)) return "";
  const std::vector<std::string> nodes(static_cast<std::size_t>(place.node_count), master_address(place, environment));
  return fmt::format("{}", fmt::join(nodes, ","));
}

std::string process_name(const RankPlace& place, const Environment& environment) {
  return place.size > 1 || has_mpi(environment) ? fmt::format("rank_{}", place.rank) : "main";
}

template <int RankPlace::*member>
std::string number(const RankPlace& place, const Environment&) {
  return std::to_string(place.*member);
}

const char* const azures_own = "names a thing inside of Azure that does not exist here";
const char* const scoring_only = "for scoring; this version runs training jobs only";

VariableRow not_set(const char* name, const std::string& meaning, const std::string& why) {
  return {name, Status::not_set, meaning + ": " + why, nullptr};
}
VariableRow by_others(const char* name, const char* meaning) { return {name, Status::set, meaning, nullptr}; }

// NOLINTNEXTLINE(readability-function-size): one row a line; it is a table
std::vector<VariableRow> make_table() {
  return {
      // PyTorch's, given to every rank whatever the distribution
      {"RANK", Status::set, "the rank, from 0", number<&RankPlace::rank>},
      {"WORLD_SIZE", Status::set, "the number of ranks", number<&RankPlace::size>},
      {"LOCAL_RANK", Status::set, "the rank among those of its node, from 0", number<&RankPlace::local_rank>},
      {"LOCAL_WORLD_SIZE", Status::set, "the number of ranks on this node", number<&RankPlace::local_size>},
      {"NODE_RANK", Status::set, "the node, from 0; nodes have process_count_per_instance ranks each",
       number<&RankPlace::node>},
      {"MASTER_ADDR", Status::set, "where rank 0 can be reached: 127.0.0.1, unless the job sets it", master_address},
      {"MASTER_PORT", Status::set,
       "6105 as in Azure ML, unless the job sets it; runs that share a machine need "
       "different ones",
       master_port},
      // TensorFlow
      not_set("TF_CONFIG", "the cluster of a TensorFlow job", "this version runs mpi and no distribution"),
      // MPI
      by_others("OMPI_COMM_WORLD_RANK", "the rank; from mpirun, untouched. In MPI jobs"),
      by_others("OMPI_COMM_WORLD_SIZE", "the number of ranks; from mpirun, untouched. In MPI jobs"),
      by_others("OMPI_COMM_WORLD_LOCAL_RANK",
                "the rank among those of this machine; from mpirun, untouched: with several nodes on one machine it "
                "differs from LOCAL_RANK, and devices are chosen by it. In MPI jobs"),
      by_others("OMPI_COMM_WORLD_LOCAL_SIZE", "the ranks on this machine; from mpirun, untouched. In MPI jobs"),
      by_others("OMPI_COMM_WORLD_NODE_RANK",
                "the local rank counted over all MPI jobs of the machine (no node's number); from mpirun, untouched. "
                "In MPI jobs"),
      not_set("PMI_RANK", "the rank under Intel MPI", "ranks are started by Open MPI"),
      {"AZ_BATCH_MASTER_NODE", Status::set, "MASTER_ADDR:MASTER_PORT. In MPI jobs", master_node},
      {"AZ_BATCHAI_MPI_MASTER_NODE", Status::set, "MASTER_ADDR. In MPI jobs", master_of_mpi},
      {"AZ_BATCHAI_JOB_MASTER_NODE_IP", Status::set, "MASTER_ADDR. In MPI jobs", master_of_mpi},
      {"AZ_BATCH_HOST_LIST", Status::set, "the nodes' addresses, separated by commas, one a node. In MPI jobs",
       host_list},
      // The run
      {"AZUREML_RUN_ID", Status::set, "the run's id, as LOCKSTEP_RUN_ID",
       [](const RankPlace&, const Environment& environment) { return given(environment, "LOCKSTEP_RUN_ID"); }},
      {"AZUREML_EXPERIMENT_NAME", Status::set, "the experiment's name",
       [](const RankPlace&, const Environment& environment) { return given(environment, "LOCKSTEP_EXPERIMENT_NAME"); }},
      {"AZUREML_PROCESS_NAME", Status::set, "rank_<k>; main for a job of one process without MPI", process_name},
      {"AZUREML_CR_NODE_RANK", Status::set, "the node, as NODE_RANK", number<&RankPlace::node>},
      by_others("AZURE_ML_INPUT_<name>", "the path of an input, for each that is a file or a folder; from the plan"),
      by_others("AZURE_ML_OUTPUT_<name>", "the path of an output, for each; from the plan"),
      by_others("AZUREML_DATAREFERENCE_<name>", "the path of an input or output, for each; from the plan"),
      not_set("AZUREML_FRAMEWORK", "the framework of a v1 estimator", "a command job names none"),
      not_set("AZUREML_SCRIPT_DIRECTORY_NAME", "the script's folder in a v1 job",
              "ranks start in the snapshot of `code` itself"),
      not_set("AZUREML_CONDA_ENVIRONMENT_PATH", "the job's conda environment",
              "the local compute runs in the host's environment"),
      // Azure's service
      not_set("AZUREML_EXPERIMENT_ID", "the experiment's id", azures_own),
      not_set("AZUREML_ARM_SUBSCRIPTION", "the subscription", azures_own),
      not_set("AZUREML_ARM_RESOURCEGROUP", "the resource group", azures_own),
      not_set("AZUREML_ARM_WORKSPACE_NAME", "the workspace", azures_own),
      not_set("AZUREML_ARM_PROJECT_NAME", "the experiment as an ARM name", azures_own),
      not_set("AZUREML_WORKSPACE_ID", "the workspace's id", azures_own),
      not_set("AZUREML_WORKSPACE_NAME", "the workspace's name", azures_own),
      not_set("AZUREML_WORKSPACE_SCOPE", "the workspace's ARM id", azures_own),
      not_set("AZUREML_EXPERIMENT_SCOPE", "the experiment's ARM id", azures_own),
      not_set("AZUREML_SERVICE_ENDPOINT", "the service's address", azures_own),
      not_set("AZUREML_DISCOVERY_SERVICE_ENDPOINT", "the discovery service's address", azures_own),
      not_set("AZUREML_RUN_HISTORY_SERVICE_ENDPOINT", "the run history's address", azures_own),
      not_set("AZUREML_RUN_TOKEN", "a token for Azure's service", "a false one would only fail later"),
      not_set("AZUREML_RUN_TOKEN_EXPIRY", "when that token ends", "there is no token"),
      // MLflow
      by_others("MLFLOW_TRACKING_URI",
                "the run's tracking endpoint, at this machine's loopback address; from its supervisor, as all five, "
                "unless the job sets it: then none of them is set"),
      by_others("MLFLOW_TRACKING_TOKEN", "the token that the endpoint asks for; good for this run and those below it"),
      by_others("MLFLOW_RUN_ID", "the run's id: the first start_run() goes on with it"),
      by_others("MLFLOW_EXPERIMENT_ID", "the experiment's id"),
      by_others("MLFLOW_EXPERIMENT_NAME", "the experiment's name"),
      // Scoring
      not_set("AZUREML_MODEL_DIR", "the model's folder", scoring_only),
      not_set("AZUREML_ENTRY_SCRIPT", "the scoring script", scoring_only),
      not_set("AZUREML_BI_OUTPUT_PATH", "where batch scoring writes", scoring_only),
      // Ours
      by_others("LOCKSTEP_RUN_ID", "the run's id; from the plan. Whatever has it is stopped with the run"),
      by_others("LOCKSTEP_RUN_DIR", "the run's folder (docs/run-folder.md); from the plan"),
      by_others("LOCKSTEP_EXPERIMENT_NAME", "the experiment's name; from the plan"),
  };
}

// What mpirun tells the processes it starts, besides OMPI_COMM_*. Settings of a person (OMPI_MCA_btl, ...) stay.
bool is_mpirun_to_its_rank(std::string_view name) {
  constexpr std::string_view prefixes[] = {"OMPI_COMM_WORLD_", "PMIX_", "OMPI_MCA_orte_", "OMPI_MCA_ess"};
  constexpr std::string_view names[] = {
      "OMPI_MCA_pmix",      "OMPI_MCA_initial_wdir", "OMPI_MCA_rmaps_base_oversubscribe",
      "OMPI_ARGV",          "OMPI_COMMAND",          "OMPI_MCA_shmem_RUNTIME_QUERY_hint",
      "OMPI_FIRST_RANKS",   "OMPI_FILE_LOCATION",    "OMPI_APP_CTX_NUM_PROCS",
      "OMPI_UNIVERSE_SIZE", "OMPI_NUM_APP_CTX"};
  return std::any_of(std::begin(prefixes), std::end(prefixes), [&](auto each) { return name.starts_with(each); }) ||
         std::find(std::begin(names), std::end(names), name) != std::end(names);
}
}  // namespace

const std::vector<VariableRow>& environment_table() {
  static const std::vector<VariableRow> table = make_table();
  return table;
}

void add_rank_environment(Environment& environment, const RankPlace& place) {
  const Environment before = environment;  // rows see what was given, not each other
  for (const VariableRow& row : environment_table()) {
    if (row.status == Status::empty) environment[row.name] = "";
    if (row.status != Status::set || row.value == nullptr) continue;
    std::string value = row.value(place, before);
    if (!value.empty()) environment[row.name] = std::move(value);
  }
}

void drop_rank_environment(Environment& environment) {
  if (!environment.contains("LOCKSTEP_RUN_ID") && !environment.contains("OMPI_COMM_WORLD_RANK")) return;
  const bool in_run = environment.contains("LOCKSTEP_RUN_ID");
  for (const VariableRow& row : environment_table()) {
    const bool is_endpoints = in_run && row.name.starts_with("MLFLOW_");
    if (row.value != nullptr || is_endpoints) environment.erase(row.name);
  }
  std::erase_if(environment, [](const auto& entry) { return is_mpirun_to_its_rank(entry.first); });
}

}  // namespace lockstep::entrypoint
