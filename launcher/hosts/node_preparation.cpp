#include "launcher/hosts/node_preparation.hpp"

#include <fmt/format.h>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "launcher/hosts/reach.hpp"
#include "launcher/hosts/ssh.hpp"
#include "launcher/plan/remote.hpp"
#include "launcher/slurm/nodes.hpp"

namespace lockstep::hosts {

namespace {

constexpr std::chrono::seconds time_to_look(20);
constexpr int ran_before = 46;  // what the script says when there is nothing to do
constexpr std::size_t longest_reason = 160;

// $1 the command, $2 our folder there, $3 what tells this command and this start of the node from others. While it runs
// our end of standard input is open: when that closes, nobody waits for it any more.
constexpr const char* run_script = R"sh(umask 077
mark=$2/prepared/$3-$(cat /proc/sys/kernel/random/boot_id)
test -e "$mark" && exit 46
mkdir -p "$2/prepared" || exit 1
as_root=
test "$(id -u)" = 0 || as_root='sudo -n'
exec 3<&0
setsid $as_root sh -c "$1" </dev/null 3<&- 2>&1 &
job=$!
{ cat <&3 >/dev/null; $as_root kill -TERM -$job; } >/dev/null 2>&1 &
watch=$!
wait $job
code=$?
kill $watch 2>/dev/null
if test $code = 0; then : >"$mark"; rm -f "$mark.failed"; else echo "exit code $code" >"$mark.failed"; fi
exit $code)sh";

constexpr const char* look_script =
    R"sh(cat "$1/prepared/$2-$(cat /proc/sys/kernel/random/boot_id).failed" 2>/dev/null)sh";

// Of a node that is a process of one machine among others, the machine's own start says nothing.
std::string token_of(const plan::RemotePart& remote, const spec::Host& host) {
  std::string started;
  if (remote.compute.slurm) started = slurm::start_time_of(*remote.compute.slurm, host.name);
  return sha256_hex(remote.compute.node_preparation + '\0' + host.name + '\0' + started).substr(0, 16);
}

Command command_for(const plan::RemotePart& remote, const spec::Host& host, const std::vector<std::string>& words) {
  Command command{reach(remote, host, words), {}, environment_of(remote)};
  command.keeps_input_open = true;
  return command;
}
}  // namespace

std::vector<PreparedNode> prepare_nodes(const plan::RemotePart& remote, const std::vector<spec::Host>& hosts,
                                        const std::function<bool()>& canceled) {
  std::vector<Command> commands;
  for (const auto& host : hosts) {
    commands.push_back(command_for(remote, host,
                                   {"sh", "-c", run_script, "sh", remote.compute.node_preparation,
                                    remote.compute.scratch.string(), token_of(remote, host)}));
  }
  const auto results =
      run_together(commands, std::chrono::seconds(remote.compute.node_preparation_timeout_s), canceled);
  std::vector<PreparedNode> nodes;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    PreparedNode node{hosts[i], "", results[i].output + results[i].errors, results[i].exit_code != ran_before};
    if (results[i].timed_out) {
      node.problem = fmt::format("{}: its preparation took longer than {} s", hosts[i].name,
                                 remote.compute.node_preparation_timeout_s);
    } else if (node.ran && results[i].exit_code != 0) {
      node.problem = fmt::format("{}: its preparation failed (exit code {}): {}", hosts[i].name, results[i].exit_code,
                                 last_line(node.output).substr(0, longest_reason));
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

void add_failed_preparations(const plan::RemotePart& remote, std::vector<HostReport>& reports) {
  if (remote.compute.node_preparation.empty()) return;
  std::vector<HostReport*> asked;
  std::vector<Command> commands;
  for (auto& report : reports) {
    if (!report.probe) continue;  // it does not answer
    asked.push_back(&report);
    commands.push_back(
        command_for(remote, report.host,
                    {"sh", "-c", look_script, "sh", remote.compute.scratch.string(), token_of(remote, report.host)}));
  }
  const auto results = run_together(commands, time_to_look, [] { return false; });
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (results[i].exit_code != 0 || results[i].output.empty()) continue;
    asked[i]->problems.push_back(
        fmt::format("{}: its preparation failed ({})", asked[i]->host.name, last_line(results[i].output)));
  }
}

void drain(const plan::RemotePart& remote, const PreparedNode& node) {
  if (!remote.compute.slurm) return;
  // Only operators may; of anybody else Slurm does not take it.
  run_program(
      {.argv = {"scontrol", "update", "nodename=" + node.host.name, "state=drain", "reason=lockstep: " + node.problem},
       .environment = environment_of(remote),
       .working_folder = {}},
      time_to_look);
}

}  // namespace lockstep::hosts
