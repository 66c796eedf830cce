#include <fmt/ranges.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "common/clock.hpp"
#include "common/digest.hpp"
#include "common/error.hpp"
#include "launcher/cluster/accounting_conf.hpp"
#include "launcher/cluster/apply.hpp"
#include "launcher/cluster/cluster.hpp"
#include "launcher/cluster/daemons.hpp"
#include "launcher/cluster/ports.hpp"
#include "launcher/cluster/processes.hpp"
#include "launcher/cluster/slurm_conf.hpp"
#include "launcher/cluster/take_down.hpp"
#include "launcher/cluster/view.hpp"

namespace lockstep::cluster {

namespace {

constexpr int limit_ms = 60'000;  // against hanging; it takes two seconds where nothing else runs

void refuse_what_is_there(const ClusterFolder& folder) {
  std::error_code ignored;
  if (fs::exists(folder.record(), ignored)) {
    const std::string remedy =
        fmt::format("take it down first: lockstep cluster down --folder {}", folder.root().string());
    if (runs(folder, "slurmctld")) throw bad_input("a cluster runs in {}; {}", folder.root().string(), remedy);
    throw bad_input("{} is what is left of a cluster; {}", folder.root().string(), remedy);
  }
  for (const auto& entry : fs::directory_iterator(folder.root(), ignored)) {
    if (entry.path() == folder.lock()) continue;
    throw bad_input("{} is not empty; choose a folder that is, or that is not there yet", folder.root().string());
  }
}

void write_files(const ClusterFolder& folder, const ClusterSpec& spec, const fs::path& lockstep) {
  write_file_durably(folder.record(), to_json(spec), 0600);
  for (const fs::path& each : {folder.run(), folder.logs(), folder.state()}) make_own_folder(each);
  for (const auto& each : spec.static_names()) {
    for (const fs::path& path : {folder.spool(each), folder.temporary(each)}) fs::create_directories(path);
  }
  write_file_atomically(folder.munge_key(), random_hex(128), 0400);
  write_file_atomically(folder.slurm_conf(), slurm_conf(folder, spec));
  if (spec.accounting) write_file_atomically(folder.slurmdbd_conf(), slurmdbd_conf(folder, spec), 0600);
  if (spec.cloud_nodes > 0) {
    autoscale::ScaledNodes nodes;
    nodes.compute = "cloud";
    nodes.prefix = "c";
    nodes.most = spec.cloud_nodes;
    nodes.idle_s = spec.idle_seconds;
    nodes.cores = spec.cores_per_node;
    nodes.memory_mb = spec.memory_mb;
    nodes.first_port = free_ports(most_nodes);
    nodes.provider.is_local = true;
    nodes.provider.timeout_s = 60;
    write_nodes(folder.slurm(), nodes);
  }
  write_fragment(folder.slurm(), lockstep);
}

class Start {
 public:
  Start(const ClusterFolder& folder, const ClusterSpec& spec, const Tell& tell,
        const std::function<bool()>& is_canceled)
      : folder_(folder),
        spec_(spec),
        tell_(tell),
        is_canceled_(is_canceled),
        environment_(environment_for(folder, current_environment())) {}

  void run() {
    start_munged(folder_, environment_);
    wait({"munged"}, "munged answers", [this] { return listener_at(folder_.munge_socket()) != 0; });
    if (spec_.accounting) start_accounting();
    start_controller(folder_, environment_);
    for (const auto& each : spec_.static_names()) start_node(folder_, environment_, each, false);
    wait({"slurmctld"}, "slurmctld answers", [this] { return is_listening(spec_.first_port); });
    std::vector<std::string> daemons = spec_.static_names();
    daemons.insert(daemons.begin(), "slurmctld");
    wait(daemons, fmt::format("{} of {} nodes are idle", spec_.nodes, spec_.nodes), [this] { return all_are_idle(); });
  }

 private:
  // All of it before slurmctld, which so knows who may run jobs from its first moment.
  void start_accounting() {
    install_database();
    start_database(folder_, environment_);
    wait({"mariadbd"}, "MariaDB answers", [this] { return listener_at(folder_.database_socket()) != 0; });
    start_slurmdbd(folder_, environment_);
    wait({"mariadbd", "slurmdbd"}, "slurmdbd answers", [this] { return is_listening(spec_.slurmdbd_port()); });
    for (auto& each : account_commands(spec_.user)) ask_slurm(environment_, std::move(each), std::chrono::minutes(1));
  }

  void install_database() {
    const ProcessId process = start_database_installation(folder_, environment_);
    const bool ended = wait_until([&] { return is_canceled_() || !is_alive(process); }, limit_ms);
    if (is_canceled_()) interrupted();
    int status = -1;
    if (ended) ::waitpid(process.pid, &status, 0);
    if (status != 0) throw failure("there is no database. {}", last_words(folder_, "mariadb-install-db"));
    fs::remove(folder_.process_file("mariadb-install-db"));
  }

  [[noreturn]] static void interrupted() {
    throw Error(ExitCode::interrupted, "interrupted; the cluster was taken down again");
  }

  // slurmctld may listen and not answer yet.
  bool all_are_idle() {
    try {
      states_ = ask_slurm(environment_, {"scontrol", "-o", "show", "nodes"});
    } catch (const Error& error) {
      states_ = error.what();
      return false;
    }
    const auto nodes = parse_nodes(states_);
    return std::count_if(nodes.begin(), nodes.end(), [](const NodeState& each) { return each.state == "idle"; }) ==
           spec_.nodes;
  }

  void wait(const std::vector<std::string>& daemons, const std::string& what, const std::function<bool()>& is_so) {
    const auto dead = [&] {
      return std::find_if(daemons.begin(), daemons.end(), [&](const auto& each) { return !runs(folder_, each); });
    };
    const bool ended = wait_until([&] { return is_canceled_() || dead() != daemons.end() || is_so(); }, limit_ms);
    if (is_canceled_()) interrupted();
    if (dead() != daemons.end()) throw failure("{} ended. {}", *dead(), last_words(folder_, *dead()));
    if (!ended) {
      throw failure("not within {}: {}\n{}{}", duration_text(limit_ms), what, states_,
                    last_words(folder_, daemons.front()));
    }
    tell_(fmt::format("{} ({:.1f} s)", what, monotonic_s() - begin_s_));
  }

  const ClusterFolder& folder_;
  const ClusterSpec& spec_;
  const Tell& tell_;
  const std::function<bool()>& is_canceled_;
  Environment environment_;
  std::string states_;
  double begin_s_ = monotonic_s();
};

}  // namespace

void bring_up(const ClusterFolder& folder, ClusterSpec spec, const fs::path& lockstep, const Tell& tell,
              const std::function<bool()>& is_canceled) {
  spec.user = user_name();
  check(spec);
  check_machine(environment_for(folder, current_environment()), spec.accounting);
  spec.first_port = free_ports(spec.ports());
  make_own_folder(folder.root());
  const auto lock = FileLock::try_take(folder.lock());
  if (!lock) throw bad_input("another `lockstep cluster` is at work in {}", folder.root().string());
  try {
    refuse_what_is_there(folder);
  } catch (const Error&) {
    if (!fs::exists(folder.record())) fs::remove(folder.lock());  // it is somebody's folder: leave it as it was
    throw;
  }
  fs::permissions(folder.root(), fs::perms::owner_all);
  tell(fmt::format("starting Slurm with {} {} in {}", spec.nodes, spec.nodes == 1 ? "node" : "nodes",
                   folder.root().string()));
  try {
    write_files(folder, spec, lockstep);
    Start(folder, spec, tell, is_canceled).run();
  } catch (...) {
    take_down_locked(folder, tell);
    throw;
  }
}

}  // namespace lockstep::cluster
