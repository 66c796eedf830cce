#include "launcher/hosts/send.hpp"

#include <fmt/format.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "launcher/hosts/reach.hpp"
#include "launcher/hosts/ssh.hpp"

namespace lockstep::hosts {

namespace {
constexpr std::chrono::hours time_to_send(6);  // of a large data set over a slow line; a cancel ends it at once

constexpr const char* unpack = R"sh(umask 077; mkdir -p "$1" && exec tar -C "$1" -xf -)sh";
constexpr const char* put_aside_and_unpack =
    R"sh(umask 077
    test ! -e "$1" || { rm -rf "$1.left"; mv "$1" "$1.left"; }
    mkdir -p "$1" && exec tar -C "$1" -xf -)sh";

using Names = std::vector<std::string>;

// What has these names in the folder `from` here has them in the folder `to` there. `anew`: a folder that is there
// already is what a lost attempt left, and has not come to the workspace: it is put aside. tar keeps modes, times and
// links.
Command tar_command(const plan::Plan& plan, const spec::Host& host, const fs::path& from, const Names& names,
                    const fs::path& to, bool anew) {
  const auto there =
      reach(plan::remote_of(plan), host, {"sh", "-c", anew ? put_aside_and_unpack : unpack, "sh", to.string()});
  std::vector<std::string> argv{"bash", "-c", R"(set -o pipefail
                                tar -C "$1" -cf - -- "${@:3:$2}" | "${@:$2+3}")", "bash", from.string(), std::to_string(names.size())};
  argv.insert(argv.end(), names.begin(), names.end());
  argv.insert(argv.end(), there.begin(), there.end());
  return {argv, {}, environment_of(plan::remote_of(plan))};
}

void send_all(const plan::Plan& plan, const fs::path& from, const Names& names, const fs::path& to, bool anew,
              const std::function<bool()>& canceled) {
  std::vector<Command> commands;
  for (const auto& host : plan::remote_of(plan).hosts)
    commands.push_back(tar_command(plan, host, from, names, to, anew));
  const auto results = run_together(commands, time_to_send, canceled);
  for (std::size_t node = 0; node < results.size(); ++node) {
    if (results[node].exit_code == 0) continue;
    const auto& host = plan::remote_of(plan).hosts[node];
    if (results[node].exit_code == 255 && plan::remote_of(plan).compute.hosts)
      throw failure("{}", ssh_trouble(host, results[node]));
    throw failure("{}: cannot send {} to {}: {}", host.name, (from / names.front()).string(), to.string(),
                  results[node].errors);
  }
}
}  // namespace

// What a node wrote under a name that another had first, in the attempt before: to that node alone.
void send_asides(const plan::Plan& plan, const std::function<bool()>& canceled) {
  for (std::size_t node = 0; node < plan::remote_of(plan).hosts.size(); ++node) {
    const fs::path aside = plan.folder.node(static_cast<int>(node));
    Names names;
    for (const char* each : {"logs", "metrics", "outputs", "checkpoints", "tensorboard"}) {
      if (fs::exists(aside / each)) names.emplace_back(each);
    }
    if (names.empty()) continue;
    const auto& host = plan::remote_of(plan).hosts[node];
    const auto result = run_together(
        {tar_command(plan, host, aside, names, plan::remote_of(plan).folder.root(), false)}, time_to_send, canceled);
    if (result.front().exit_code != 0) throw failure("{}: cannot send {}", host.name, aside.string());
  }
}

void send_files(const plan::Plan& plan, const std::function<void(const std::string&)>& say,
                const std::function<bool()>& canceled) {
  const std::int64_t begun = monotonic_ms();
  // With the code go files that it had below ./outputs and ./logs, and of a run that begins again all that its ranks
  // have written: they are where ranks look for them, journals and logs go on where they ended.
  const auto name_of = [&](const fs::path& path) { return fs::relative(path, plan.folder.root()).string(); };
  Names names;
  for (const fs::path& each : {plan.folder.snapshot(), plan.folder.outputs(), plan.folder.logs(), plan.folder.metrics(),
                               plan.folder.checkpoints(), plan.folder.tensorboard()}) {
    if (fs::exists(each)) names.push_back(name_of(each));
  }
  send_all(plan, plan.folder.root(), names, plan::remote_of(plan).folder.root(), true, canceled);
  send_asides(plan, canceled);
  int inputs = 0;
  for (const auto& input : plan.inputs) {
    if (input.sent_from.empty()) continue;
    const fs::path from = input.sent_from.filename().empty() ? input.sent_from.parent_path() : input.sent_from;
    send_all(plan, from.parent_path(), {from.filename().string()}, input.path.parent_path(), false, canceled);
    ++inputs;
  }
  say(fmt::format("sent the code and {} input{} to {} node{} in {}", inputs, inputs == 1 ? "" : "s",
                  plan::remote_of(plan).hosts.size(), plan::remote_of(plan).hosts.size() == 1 ? "" : "s",
                  duration_text(monotonic_ms() - begun)));
}

}  // namespace lockstep::hosts
