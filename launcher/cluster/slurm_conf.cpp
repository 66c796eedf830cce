#include "launcher/cluster/slurm_conf.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "launcher/autoscale/fragment.hpp"

namespace lockstep::cluster {

namespace {

std::string license_line(const ClusterSpec& spec) {
  std::vector<std::string> words;
  words.reserve(spec.licenses.size());
  for (const License& each : spec.licenses) words.push_back(fmt::format("{}:{}", each.name, each.count));
  return words.empty() ? "" : fmt::format("Licenses={}\n", fmt::join(words, ","));
}

// limits: or those of QOS and accounts would be written down and not kept. linux: sacct tells memory and time of
// steps.
std::string accounting_lines(const ClusterFolder& folder, const ClusterSpec& spec) {
  if (!spec.accounting) return "JobAcctGatherType=jobacct_gather/none\n";
  return fmt::format(
      R"(JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={}
AccountingStoragePass={}
AccountingStorageEnforce=associations,limits,qos
)",
      spec.slurmdbd_port(), folder.munge_socket().string());
}

}  // namespace

// Why these: linuxproc and task/none ask for no cgroups. cred_expire is also how long a job that was preempted waits
// before it may start again (2 min by default). A TmpFS for each node keeps their PMIx servers apart. config_overrides
// lets a node claim more cores than this machine has; a share of the memory for each core lets jobs share a node. cloud
// in PrivateData shows cloud nodes that are off.
std::string slurm_conf(const ClusterFolder& folder, const ClusterSpec& spec) {
  const std::string statics = autoscale::host_list("n", spec.nodes);
  return fmt::format(
      R"(# Written by `lockstep cluster up`; gone with `lockstep cluster down`.
ClusterName=lockstep
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={munge_socket},cred_expire=5
StateSaveLocation={state}
SlurmctldPidFile={ctld_pid}
SlurmctldLogFile={ctld_log}
SlurmdSpoolDir={spool}
SlurmdPidFile={slurmd_pid}
SlurmdLogFile={slurmd_log}
TmpFS={temporary}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
{accounting}SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU={memory_per_core}
ReturnToService=2
SlurmdTimeout=30
KillWait=5
SchedulerParameters=sched_interval=5,bf_interval=5,batch_sched_delay=0,sched_min_interval=100000,requeue_delay=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SuspendExcParts=main,low,dedicated
PrivateData=cloud
SlurmctldParameters=idle_on_node_suspend,cloud_reg_addrs
SlurmdParameters=config_overrides
{licenses}{node_line}
PartitionName=main Nodes={statics} Default=YES PriorityTier=5
PartitionName=low Nodes={statics} PriorityTier=1 PreemptMode=REQUEUE
PartitionName=dedicated Nodes={statics} PriorityTier=10 PreemptMode=OFF
Include {fragment}
)",
      fmt::arg("port", spec.first_port), fmt::arg("user", spec.user),
      fmt::arg("munge_socket", folder.munge_socket().string()), fmt::arg("state", folder.state().string()),
      fmt::arg("ctld_pid", folder.pid_file("slurmctld").string()),
      fmt::arg("ctld_log", folder.log("slurmctld").string()), fmt::arg("spool", folder.spool("%n").string()),
      fmt::arg("slurmd_pid", folder.pid_file("%n").string()), fmt::arg("slurmd_log", folder.log("%n").string()),
      fmt::arg("temporary", folder.temporary("%n").string()),
      fmt::arg("memory_per_core", std::max(1, spec.memory_mb / spec.cores_per_node)),
      fmt::arg("accounting", accounting_lines(folder, spec)), fmt::arg("licenses", license_line(spec)),
      fmt::arg("node_line",
               autoscale::node_definition("n", spec.nodes, spec.first_port + 1, spec.cores_per_node, spec.memory_mb)),
      fmt::arg("statics", statics), fmt::arg("fragment", folder.slurm().fragment().string()));
}

std::string compute_example(const ClusterFolder& folder) {
  return fmt::format(
      "name: box\n"
      "type: amlcompute\n"
      "engine: {{type: slurm, config_file: {}, partition: main, shared_files: true}}\n",
      folder.slurm_conf().string());
}

std::vector<std::string> munged_argv(const ClusterFolder& folder) {
  // --force: a folder below /tmp is no reason not to start; nobody but its owner can enter it
  return {"munged",
          "--foreground",
          "--force",
          "--key-file=" + folder.munge_key().string(),
          "--seed-file=" + folder.munge_seed().string(),
          "--socket=" + folder.munge_socket().string(),
          "--pid-file=" + folder.pid_file("munged").string(),
          "--log-file=" + folder.log("munged").string()};
}

// slave: what is mounted on this machine later is seen on the nodes, too, and nothing the other way round.
std::vector<std::string> namespaces_argv(bool with_user_namespace) {
  std::vector<std::string> argv = {"unshare", "--uts", "--mount", "--propagation", "slave"};
  if (with_user_namespace) argv.insert(argv.begin() + 1, {"--user", "--map-current-user", "--keep-caps"});
  return argv;
}

// A node has its own host name, or Open MPI takes all nodes for one; and its own /dev/shm, where files of Open MPI are
// named by host name and job, which nodes of two clusters may share.
std::vector<std::string> node_argv(const std::string& node, bool with_user_namespace, bool is_cloud) {
  std::vector<std::string> argv = namespaces_argv(with_user_namespace);
  // slurmctld counts in whole seconds. What has booted within the second in which it was asked for seems to have done
  // so before that: slurmctld does not believe it, and waits for another word until the node's time is over.
  const std::string later = is_cloud ? "sleep 1 && " : "";
  const std::string script = later + "hostname \"$0\" && mount -t tmpfs tmpfs /dev/shm && exec \"$@\"";
  for (const std::string& each : {std::string("sh"), std::string("-c"), script}) argv.push_back(each);
  for (const std::string& each : {node, std::string("slurmd"), std::string("-D"), std::string("-N"), node})
    argv.push_back(each);
  if (is_cloud) argv.emplace_back("-b");  // as if it had booted: slurmctld waits for that
  return argv;
}

}  // namespace lockstep::cluster
