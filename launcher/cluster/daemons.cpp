#include "launcher/cluster/daemons.hpp"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "common/error.hpp"
#include "common/process_file.hpp"
#include "launcher/cluster/slurm_conf.hpp"

namespace lockstep::cluster {

static bool needs_user_namespace() { return ::geteuid() != 0; }

Environment environment_for(const ClusterFolder& folder, Environment environment) {
  std::erase_if(environment, [](const auto& each) { return each.first.starts_with("SLURM"); });
  environment["SLURM_CONF"] = folder.slurm_conf().string();
  std::string& path = environment["PATH"];
  for (const char* each : {"/sbin", "/usr/sbin", "/bin", "/usr/bin"}) {
    if ((":" + path + ":").find(fmt::format(":{}:", each)) == std::string::npos)
      path += (path.empty() ? "" : ":") + std::string(each);
  }
  return environment;
}

void check_machine(const Environment& environment) {
  struct Need {
    const char* program;
    const char* package;
  };
  constexpr std::array<Need, 12> needs = {{{"munged", "munge"},
                                           {"slurmctld", "slurm-wlm"},
                                           {"slurmd", "slurm-wlm"},
                                           {"scontrol", "slurm-wlm"},
                                           {"sinfo", "slurm-wlm"},
                                           {"squeue", "slurm-wlm"},
                                           {"scancel", "slurm-wlm"},
                                           {"srun", "slurm-wlm"},
                                           {"sh", "dash"},
                                           {"hostname", "hostname"},
                                           {"mount", "mount"},
                                           {"unshare", "util-linux"}}};
  std::vector<std::string> programs;
  std::set<std::string> packages;
  for (const Need& each : needs) {
    if (find_program(each.program, value_of(environment, "PATH"))) continue;
    programs.emplace_back(each.program);
    packages.insert(each.package);
  }
  if (!programs.empty()) {
    throw failure("not in PATH: {}\ninstall the Debian packages: apt-get install {}", fmt::join(programs, ", "),
                  fmt::join(packages, " "));
  }
  std::vector<std::string> argv = namespaces_argv(needs_user_namespace());
  for (const char* each : {"sh", "-c", "hostname box && mount -t tmpfs tmpfs /dev/shm"}) argv.emplace_back(each);
  const auto tried = run_program({.argv = argv, .environment = environment, .working_folder = {}});
  if (tried.exit_code() == 0) return;
  throw failure("nodes can't have host names of their own here: {}{}", tried.output,
                needs_user_namespace()
                    ? "as root it may go, or where user namespaces are allowed (sysctl user.max_user_namespaces)"
                    : "in a container: give it CAP_SYS_ADMIN");
}

static void start_daemon(const ClusterFolder& folder, const Environment& environment, const std::string& name,
                         std::vector<std::string> argv) {
  const Fd said = open_file(folder.said(name), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const ProcessId process = start_program({.argv = std::move(argv),
                                           .environment = environment,
                                           .working_folder = folder.root(),
                                           .stdout_fd = said.get(),
                                           .stderr_fd = said.get(),
                                           .new_session = true});
  write_process_file(folder.process_file(name), process);
}

void start_munged(const ClusterFolder& folder, const Environment& environment) {
  start_daemon(folder, environment, "munged", munged_argv(folder));
}

void start_controller(const ClusterFolder& folder, const Environment& environment) {
  start_daemon(folder, environment, "slurmctld", {"slurmctld", "-D"});
}

void start_node(const ClusterFolder& folder, const Environment& environment, const std::string& node, bool is_cloud) {
  for (const fs::path& each : {folder.spool(node), folder.temporary(node)}) fs::create_directories(each);
  start_daemon(folder, environment, node, node_argv(node, needs_user_namespace(), is_cloud));
}

bool runs(const ClusterFolder& folder, const std::string& daemon) {
  const auto process = read_process_file(folder.process_file(daemon));
  return process && is_alive(*process);
}

std::string ask_slurm(const Environment& environment, std::vector<std::string> argv) {
  const auto asked =
      run_program({.argv = argv, .environment = environment, .working_folder = {}}, std::chrono::seconds(15));
  if (asked.exit_code() != 0) throw failure("{}: {}", fmt::join(argv, " "), asked.output);
  return asked.output;
}

std::string last_words(const ClusterFolder& folder, const std::string& daemon, std::size_t lines) {
  std::string text = read_file_if_exists(folder.said(daemon)).value_or("");
  while (text.ends_with('\n')) text.pop_back();
  std::size_t begin = text.size();
  for (std::size_t i = 0; i < lines && begin != std::string::npos && begin > 0; ++i)
    begin = text.rfind('\n', begin - 1);
  if (begin != std::string::npos && begin < text.size() && begin > 0) text.erase(0, begin + 1);
  return fmt::format("{} says:\n{}", daemon, text.empty() ? "(nothing)" : text);
}

}  // namespace lockstep::cluster
