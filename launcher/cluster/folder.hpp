// Every path of a cluster in a box. docs/cluster.md lists them; no other code spells these names.
#pragma once

#include <string>

#include "common/file.hpp"
#include "launcher/autoscale/slurm_folder.hpp"

namespace lockstep::cluster {

class ClusterFolder {
 public:
  // Makes the path absolute and free of links and dots, so that every command means the same folder. Throws bad_input
  // for one that Slurm can't work in: with characters that mean something in slurm.conf, too long for the sockets
  // below it, or in /dev/shm, of which each node has its own.
  explicit ClusterFolder(const fs::path& root);

  const fs::path& root() const { return root_; }
  fs::path record() const { return root_ / "cluster.json"; }  // there from the first moment to the last
  fs::path lock() const { return root_ / "lock"; }            // of who brings up or takes down
  fs::path slurm_conf() const { return root_ / "slurm.conf"; }
  fs::path slurmdbd_conf() const { return root_ / "slurmdbd.conf"; }  // where slurmdbd looks: beside slurm.conf
  autoscale::SlurmFolder slurm() const { return autoscale::SlurmFolder(root_); }  // computes whose nodes come and go

  fs::path run() const { return root_ / "run"; }
  fs::path munge_key() const { return run() / "munge.key"; }
  fs::path munge_seed() const { return run() / "munge.seed"; }
  fs::path munge_socket() const { return run() / "munge.sock"; }
  fs::path nodes_lock() const { return run() / "nodes.lock"; }  // of who starts or stops nodes
  fs::path stopping() const { return run() / "stopping"; }      // from then on no node is started
  fs::path pid_file(const std::string& daemon) const { return run() / (daemon + ".pid"); }  // Slurm's own
  fs::path process_file(const std::string& daemon) const {
    return run() / (daemon + ".json");
  }  // ours, with start time

  fs::path logs() const { return root_ / "log"; }
  fs::path log(const std::string& daemon) const { return logs() / (daemon + ".log"); }    // with times
  fs::path said(const std::string& daemon) const { return logs() / (daemon + ".said"); }  // stdout, stderr
  fs::path nodes_log() const { return logs() / "nodes.log"; }                             // starts and stops of nodes

  fs::path database() const { return root_ / "database"; }  // MariaDB's, of a cluster with accounting
  fs::path database_socket() const { return run() / "mariadb.sock"; }

  fs::path state() const { return root_ / "state"; }                                  // of slurmctld
  fs::path spool(const std::string& node) const { return root_ / "spool" / node; }    // of a node's slurmd
  fs::path temporary(const std::string& node) const { return root_ / "tmp" / node; }  // its TmpFS

 private:
  fs::path root_;
};

}  // namespace lockstep::cluster
