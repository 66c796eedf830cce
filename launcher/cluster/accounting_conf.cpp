#include "launcher/cluster/accounting_conf.hpp"

#include <fmt/format.h>

namespace lockstep::cluster {

// StorageUser without StoragePass: MariaDB's unix_socket. PreserveCaseUser: a user Ada is not ada.
std::string slurmdbd_conf(const ClusterFolder& folder, const ClusterSpec& spec) {
  return fmt::format(
      R"(# Written by `lockstep cluster up`; gone with `lockstep cluster down`.
AuthType=auth/munge
AuthInfo=socket={munge_socket}
DbdHost=localhost
DbdPort={port}
SlurmUser={user}
PidFile={pid}
LogFile={log}
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser={user}
StorageLoc=slurm
Parameters=PreserveCaseUser
)",
      fmt::arg("munge_socket", folder.munge_socket().string()), fmt::arg("port", spec.slurmdbd_port()),
      fmt::arg("user", spec.user), fmt::arg("pid", folder.pid_file("slurmdbd").string()),
      fmt::arg("log", folder.log("slurmdbd").string()));
}

// Nothing is synced to the disk: what a power failure could spoil is thrown away with the cluster, and hundreds of
// syncs would take seconds. A killed mariadbd loses nothing by this.
static std::vector<std::string> for_both(const ClusterFolder& folder, std::vector<std::string> argv, bool is_root) {
  if (is_root) argv.emplace_back("--user=root");
  argv.push_back("--datadir=" + folder.database().string());
  argv.emplace_back("--debug-no-sync");
  argv.emplace_back("--innodb-log-file-size=8M");
  argv.emplace_back("--innodb-use-native-aio=0");  // which asks for more locked memory than users may have
  argv.emplace_back("--skip-name-resolve");
  return argv;
}

std::vector<std::string> install_database_argv(const ClusterFolder& folder, const std::string& user, bool is_root) {
  return for_both(folder,
                  {"mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=socket",
                   "--auth-root-socket-user=" + user, "--skip-test-db"},
                  is_root);
}

std::vector<std::string> database_argv(const ClusterFolder& folder, bool is_root) {
  return for_both(folder,
                  {"mariadbd", "--no-defaults", "--skip-networking", "--socket=" + folder.database_socket().string(),
                   "--pid-file=" + folder.pid_file("mariadbd").string(), "--innodb-buffer-pool-size=32M",
                   "--innodb-lock-wait-timeout=900"},
                  is_root);
}

// root has an account of that name already, as its default.
std::vector<std::vector<std::string>> account_commands(const std::string& user) {
  const std::string account = default_account;
  return {{"sacctmgr", "-i", "add", "cluster", "lockstep"},
          {"sacctmgr", "-i", "add", "account", account, "description=lockstep", "organization=lockstep"},
          {"sacctmgr", "-i", "add", "user", user, "account=" + account},
          {"sacctmgr", "-i", "modify", "user", "where", "name=" + user, "set", "defaultaccount=" + account}};
}

}  // namespace lockstep::cluster
