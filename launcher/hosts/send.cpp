#include "launcher/hosts/send.hpp"

#include <fmt/format.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "launcher/hosts/reach.hpp"
#include "launcher/hosts/ssh.hpp"

namespace lockstep::hosts {

namespace {
constexpr std::chrono::hours time_to_send(6);  // of a large data set over a slow line; a cancel ends it at once

using Names = std::vector<std::string>;

// What has these names in the folder `from` here has them in the folder `to` there. tar keeps modes, times and links.
Command tar_command(const plan::Plan& plan, const spec::Host& host, const fs::path& from, const Names& names,
                    const fs::path& to) {
  const auto there = reach(*plan.remote, host,
                              {"sh", "-c", R"(mkdir -p "$1" && exec tar -C "$1" -xf -)", "sh", to.string()});
  std::vector<std::string> argv{"bash", "-c", R"(set -o pipefail
                                tar -C "$1" -cf - -- "${@:3:$2}" | "${@:$2+3}")",
                                "bash", from.string(), std::to_string(names.size())};
  argv.insert(argv.end(), names.begin(), names.end());
  argv.insert(argv.end(), there.begin(), there.end());
  return {argv, {}, environment_of(*plan.remote)};
}

void send_all(const plan::Plan& plan, const fs::path& from, const Names& names, const fs::path& to,
              const std::function<bool()>& canceled) {
  std::vector<Command> commands;
  for (const auto& host : plan.remote->hosts) commands.push_back(tar_command(plan, host, from, names, to));
  const auto results = run_together(commands, time_to_send, canceled);
  for (std::size_t node = 0; node < results.size(); ++node) {
    if (results[node].exit_code == 0) continue;
    const auto& host = plan.remote->hosts[node];
    if (results[node].exit_code == 255 && plan.remote->compute.hosts) throw failure("{}", ssh_trouble(host, results[node]));
    throw failure("{}: cannot send {} to {}: {}", host.name, (from / names.front()).string(), to.string(),
                  results[node].errors);
  }
}
}  // namespace

void send_files(const plan::Plan& plan, const std::function<void(const std::string&)>& say,
                const std::function<bool()>& canceled) {
  const std::int64_t begun = monotonic_ms();
  // With the code go files that it had below ./outputs and ./logs: they are where ranks will look for them.
  const auto name_of = [&](const fs::path& path) { return fs::relative(path, plan.folder.root()).string(); };
  send_all(plan, plan.folder.root(),
           {name_of(plan.folder.snapshot()), name_of(plan.folder.outputs()), name_of(plan.folder.user_logs())},
           plan.remote->folder.root(), canceled);
  int inputs = 0;
  for (const auto& input : plan.inputs) {
    if (input.sent_from.empty()) continue;
    const fs::path from = input.sent_from.filename().empty() ? input.sent_from.parent_path() : input.sent_from;
    send_all(plan, from.parent_path(), {from.filename().string()}, input.path.parent_path(), canceled);
    ++inputs;
  }
  say(fmt::format("sent the code and {} input{} to {} node{} in {}", inputs, inputs == 1 ? "" : "s",
                  plan.remote->hosts.size(), plan.remote->hosts.size() == 1 ? "" : "s",
                  duration_text(monotonic_ms() - begun)));
}

}  // namespace lockstep::hosts
