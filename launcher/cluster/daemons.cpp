#include "launcher/cluster/daemons.hpp"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "common/error.hpp"
#include "common/process_file.hpp"
#include "launcher/cluster/accounting_conf.hpp"
#include "launcher/cluster/slurm_conf.hpp"

namespace lockstep::cluster {

static bool is_root() { return ::geteuid() == 0; }
static bool needs_user_namespace() { return !is_root(); }

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

struct Need {
  const char* program;
  const char* package;
};

static void check_programs(const Environment& environment, bool accounting) {
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
  constexpr std::array<Need, 5> needs_of_accounting = {{{"slurmdbd", "slurmdbd"},
                                                        {"sacctmgr", "slurm-wlm"},
                                                        {"mariadbd", "mariadb-server-core"},
                                                        {"mariadb-install-db", "mariadb-server-core"},
                                                        {"my_print_defaults", "mariadb-client-core"}}};
  std::vector<std::string> programs;
  std::set<std::string> packages;
  const auto look_for = [&](const Need& each) {
    if (find_program(each.program, value_of(environment, "PATH"))) return;
    programs.emplace_back(each.program);
    packages.insert(each.package);
  };
  std::for_each(needs.begin(), needs.end(), look_for);
  if (accounting) std::for_each(needs_of_accounting.begin(), needs_of_accounting.end(), look_for);
  if (!programs.empty()) {
    throw failure("not in PATH: {}\ninstall the Debian packages: apt-get install {}", fmt::join(programs, ", "),
                  fmt::join(packages, " "));
  }
}

void check_machine(const Environment& environment, bool accounting) {
  check_programs(environment, accounting);
  if (accounting && ::getpwuid(::geteuid()) == nullptr) {
    throw failure("user {} has no name on this machine, and accounts are for names: without --accounting it may go",
                  ::geteuid());
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

static ProcessId start_daemon(const ClusterFolder& folder, const Environment& environment, const std::string& name,
                              std::vector<std::string> argv) {
  const Fd said = open_file(folder.said(name), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const ProcessId process = start_program({.argv = std::move(argv),
                                           .environment = environment,
                                           .working_folder = folder.root(),
                                           .stdout_fd = said.get(),
                                           .stderr_fd = said.get(),
                                           .new_session = true});
  write_process_file(folder.process_file(name), process);
  return process;
}

void start_munged(const ClusterFolder& folder, const Environment& environment) {
  start_daemon(folder, environment, "munged", munged_argv(folder));
}

ProcessId start_database_installation(const ClusterFolder& folder, const Environment& environment) {
  return start_daemon(folder, environment, "mariadb-install-db", install_database_argv(folder, user_name(), is_root()));
}

void start_database(const ClusterFolder& folder, const Environment& environment) {
  start_daemon(folder, environment, "mariadbd", database_argv(folder, is_root()));
}

void start_slurmdbd(const ClusterFolder& folder, const Environment& environment) {
  Environment with_socket = environment;
  with_socket["MYSQL_UNIX_PORT"] = folder.database_socket().string();  // slurmdbd.conf has no key for it
  start_daemon(folder, with_socket, "slurmdbd", {"slurmdbd", "-D"});
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

std::string ask_slurm(const Environment& environment, std::vector<std::string> argv, std::chrono::seconds time_limit) {
  const auto asked = run_program({.argv = argv, .environment = environment, .working_folder = {}}, time_limit);
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
