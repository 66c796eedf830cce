#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "common/error.hpp"
#include "launcher/entrypoint/addresses.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/entrypoint/tensorflow.hpp"

namespace lockstep::entrypoint {

namespace {
using Status = VariableRow::Status;

// A job (or whoever calls the entrypoint by hand) that names another meeting point is believed.
std::string master_address(const RankPlace& place, const Environment& environment) {
  std::string own = value_of(environment, "MASTER_ADDR");
  if (!own.empty()) return own;
  const std::string azures = value_of(environment, "AZ_BATCH_MASTER_NODE");  // address:port
  if (!azures.empty() && !environment.contains("LOCKSTEP_NODES")) return azures.substr(0, azures.rfind(':'));
  const auto nodes = node_addresses(place, environment);
  return nodes.empty() ? "" : nodes.front();
}
std::string master_port(const RankPlace&, const Environment& environment) {
  const std::string own = value_of(environment, "MASTER_PORT");
  return own.empty() ? "6105" : own;  // Azure ML's
}

bool has_mpi(const Environment& environment) {
  return environment.contains("OMPI_COMM_WORLD_RANK") || environment.contains("PMI_RANK");
}

std::string master_of_mpi(const RankPlace& place, const Environment& environment) {
  return has_mpi(environment) ? master_address(place, environment) : "";
}
std::string master_node(const RankPlace& place, const Environment& environment) {
  const std::string address = master_address(place, environment);
  if (!has_mpi(environment) || address.empty()) return "";
  return address + ":" + master_port(place, environment);
}
// One entry a node: programs count them.
std::string host_list(const RankPlace& place, const Environment& environment) {
  if (!has_mpi(environment)) return "";
  const auto nodes = node_addresses(place, environment);
  return fmt::format("{}", fmt::join(nodes, ","));
}

std::string process_name(const RankPlace& place, const Environment& environment) {
  if (!place.tasks.empty()) {
    const Task& mine = place.tasks.at(static_cast<std::size_t>(place.rank));
    return fmt::format("{}_{}", name_of(mine.role), mine.index);
  }
  const bool is_alone = place.size == 1 && place.toolkit == Toolkit::mpi && !has_mpi(environment);
  return is_alone ? "main" : fmt::format("rank_{}", place.rank);
}

int first_port(const Environment& environment) {
  const std::string text = master_port({}, environment);
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
    throw bad_input("MASTER_PORT='{}' is no port", text);
  }
  return port;
}

std::string cluster_of_tasks(const RankPlace& place, const Environment& environment) {
  return place.tasks.empty() ? "" : tf_config(place, environment, first_port(environment));
}
template <Role role>
std::string hosts_of_tasks(const RankPlace& place, const Environment& environment) {
  return place.tasks.empty() ? "" : task_hosts(place, environment, first_port(environment), role);
}

std::string task_index(const RankPlace& place, const Environment&) {
  return std::to_string(place.tasks.empty() ? place.rank : place.tasks.at(static_cast<std::size_t>(place.rank)).index);
}

std::string init_method(const RankPlace& place, const Environment& environment) {
  const std::string address = master_address(place, environment);
  if (place.toolkit != Toolkit::pytorch || address.empty()) return "";
  return fmt::format("tcp://{}:{}", address, master_port(place, environment));
}

// NVIDIA's driver makes /dev/nvidia0, /dev/nvidia1, ...: counted without loading its library into every rank.
std::string gpu_count(const RankPlace&, const Environment&) {
  int count = 0;
  while (::access(fmt::format("/dev/nvidia{}", count).c_str(), F_OK) == 0) ++count;
  return std::to_string(count);
}

std::string backend(const RankPlace& place, const Environment& environment) {
  if (place.toolkit != Toolkit::pytorch) return "";
  return gpu_count(place, environment) == "0" ? "gloo" : "nccl";
}

std::string stoppable_file(const RankPlace& place, const Environment& environment) {
  const std::string run_folder = value_of(environment, "LOCKSTEP_RUN_DIR");
  if (run_folder.empty()) return value_of(environment, "LOCKSTEP_STOPPABLE_FILE");  // of a sink
  return RunFolder(run_folder).stoppable_file(place.rank).string();
}

std::string log_folder(const RankPlace&, const Environment& environment) {
  const std::string run_folder = value_of(environment, "LOCKSTEP_RUN_DIR");
  return run_folder.empty() ? "" : RunFolder(run_folder).logs().string();
}

template <int RankPlace::*member>
std::string number(const RankPlace& place, const Environment&) {
  return std::to_string(place.*member);
}

const char* const azures_own = "names a thing inside of Azure that does not exist here";
const char* const mounts_nothing = "this version mounts nothing";
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
      {"NODE_RANK", Status::set, "the node, from 0", number<&RankPlace::node>},
      {"MASTER_ADDR", Status::set,
       "where rank 0 can be reached: the first of the nodes, unless the job sets it. Missing where nobody says where "
       "the nodes are",
       master_address},
      {"MASTER_PORT", Status::set,
       "6105 as in Azure ML, or the next that no other run of this machine has and nobody listens at, unless the job "
       "sets it",
       master_port},
      // TensorFlow
      {"TF_CONFIG", Status::set,
       "the cluster (worker, ps) and this process's task. In TensorFlow jobs; rank k listens at port MASTER_PORT + k",
       cluster_of_tasks},
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
      // Batch AI
      {"AZ_BATCHAI_TASK_INDEX", Status::set, "the index among the tasks of its kind in TensorFlow jobs, else the rank",
       task_index},
      {"AZ_BATCHAI_WORKER_HOSTS", Status::set, "address:port of each worker. In TensorFlow jobs",
       hosts_of_tasks<Role::worker>},
      {"AZ_BATCHAI_PS_HOSTS", Status::set, "address:port of each parameter server. In TensorFlow jobs",
       hosts_of_tasks<Role::parameter_server>},
      {"AZ_BATCHAI_PYTORCH_INIT_METHOD", Status::set, "tcp://MASTER_ADDR:MASTER_PORT. In PyTorch jobs", init_method},
      {"AZ_BATCHAI_PYTORCH_BACKEND", Status::set, "nccl where this node has GPUs, else gloo. In PyTorch jobs", backend},
      {"AZ_BATCHAI_NUM_GPUS", Status::set, "the GPUs of this node", gpu_count},
      {"AZ_BATCHAI_NUM_GPUS_PER_NODE", Status::set, "the GPUs of this node", gpu_count},
      {"AZ_BATCHAI_STDOUTERR_DIR", Status::set, "the folder of the ranks' logs", log_folder},
      by_others("AZ_BATCHAI_INPUT_<name>", "the path of an input, for each that is a file or a folder; from the plan"),
      by_others("AZ_BATCHAI_OUTPUT_<name>", "the path of an output, for each; from the plan"),
      not_set("AZ_BATCHAI_MOUNT_ROOT", "where the cluster's file systems are mounted", mounts_nothing),
      not_set("AZ_BATCHAI_JOB_MOUNT_ROOT", "where the job's file systems are mounted", mounts_nothing),
      not_set("AZ_BATCHAI_JOB_TEMP", "the job's folder on this node", "ranks start in the run's own copy of the code"),
      not_set("AZ_BATCHAI_JOB_TEMP_DIR", "the job's folder on this node", "as AZ_BATCHAI_JOB_TEMP"),
      not_set("AZ_BATCHAI_SHARED_JOB_TEMP", "the job's folder for all nodes", "as AZ_BATCHAI_JOB_TEMP"),
      not_set("AZ_BATCHAI_MPI_HOST_FILE", "the nodes as mpirun takes them", "lockstep calls mpirun itself"),
      // The run
      {"AZUREML_RUN_ID", Status::set, "the run's id, as LOCKSTEP_RUN_ID",
       [](const RankPlace&, const Environment& environment) { return value_of(environment, "LOCKSTEP_RUN_ID"); }},
      {"AZUREML_EXPERIMENT_NAME", Status::set, "the experiment's name",
       [](const RankPlace&, const Environment& environment) {
         return value_of(environment, "LOCKSTEP_EXPERIMENT_NAME");
       }},
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
      {"LOCKSTEP_STOPPABLE_FILE", Status::set,
       "where a program that saves on TERM (and leaves with exit code 75) and on USR1 says so: it writes its pid and "
       "start time there (docs/entrypoint.md). In runs, and with --sink",
       stoppable_file},
      by_others("LOCKSTEP_NODES", "where the nodes can be reached, in order, where there are several; from the plan"),
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

// Inside of a container of AmlCompute, Azure has set these itself, and knows better.
static bool is_azures_own(const std::string& name, const Environment& environment) {
  const bool in_run = environment.contains("LOCKSTEP_RUN_DIR");
  return !in_run && name.starts_with("AZ") && environment.contains(name);
}

void add_rank_environment(Environment& environment, const RankPlace& place) {
  const Environment before = environment;  // rows see what was given, not each other
  for (const VariableRow& row : environment_table()) {
    if (row.status == Status::empty) environment[row.name] = "";
    if (row.status != Status::set || row.value == nullptr || is_azures_own(row.name, before)) continue;
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
  drop_mpirun_environment(environment);
}

void drop_mpirun_environment(Environment& environment) {
  std::erase_if(environment, [](const auto& entry) { return is_mpirun_to_its_rank(entry.first); });
}

}  // namespace lockstep::entrypoint
