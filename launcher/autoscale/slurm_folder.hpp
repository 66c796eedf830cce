// Every path of ours beside a cluster's slurm.conf. docs/slurm.md lists them; no other code spells these names.
#pragma once

#include <string>

#include "common/file.hpp"

namespace lockstep::autoscale {

class SlurmFolder {
 public:
  explicit SlurmFolder(fs::path root) : root_(std::move(root)) {}  // absolute; where slurm.conf is

  const fs::path& root() const { return root_; }
  fs::path slurm_conf() const { return root_ / "slurm.conf"; }
  fs::path ours() const { return root_ / "lockstep"; }
  fs::path fragment() const { return ours() / "lockstep.conf"; }  // slurm.conf includes it
  fs::path lock() const { return ours() / "lock"; }               // of who changes what is here
  fs::path nodes_file(const std::string& compute) const { return ours() / (compute + ".json"); }
  fs::path program(const std::string& name) const { return ours() / "bin" / name; }  // resume, suspend, resume-failed
  fs::path node_log(const std::string& node) const { return ours() / "log" / (node + ".log"); }
  fs::path workers() const { return ours() / "run"; }
  fs::path node_lock(const std::string& node) const { return workers() / (node + ".lock"); }  // of who makes it
  fs::path made_file(const std::string& node) const {
    return workers() / (node + ".made");
  }  // its machine may be there
  fs::path rest_file(const std::string& node) const { return workers() / (node + ".rest"); }    // until when it rests
  fs::path worker_file(const std::string& node) const { return workers() / (node + ".json"); }  // who works on it

 private:
  fs::path root_;
};

}  // namespace lockstep::autoscale
