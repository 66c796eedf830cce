// What makes a cluster keep accounts: slurmdbd over a MariaDB of its own, as files, argument lists and commands.
#pragma once

#include <string>
#include <vector>

#include "launcher/cluster/folder.hpp"
#include "launcher/cluster/spec.hpp"

namespace lockstep::cluster {

inline constexpr const char* default_account = "lockstep";

// slurmdbd takes it only from a file that nobody else can read. There is no password in it: MariaDB knows the user by
// the socket's other end.
std::string slurmdbd_conf(const ClusterFolder& folder, const ClusterSpec& spec);

// `is_root`: MariaDB's programs start as root only when they are told to.
std::vector<std::string> install_database_argv(const ClusterFolder& folder, const std::string& user, bool is_root);
std::vector<std::string> database_argv(const ClusterFolder& folder, bool is_root);

// What slurmdbd is told before slurmctld starts: the cluster, an account, and the user in it whose jobs so run at once.
std::vector<std::vector<std::string>> account_commands(const std::string& user);

}  // namespace lockstep::cluster
