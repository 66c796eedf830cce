// Every path in a workspace and in a run's folder. docs/run-folder.md is the page that lists them; no other code
// spells these names.
#pragma once

#include <filesystem>
#include <string>

namespace lockstep {

namespace fs = std::filesystem;

// <workspace>/runs/<run_id>/ (or LOCKSTEP_RUN_DIR on another node). Makes nothing until create() is called.
class RunFolder {
 public:
  explicit RunFolder(fs::path root) : root_(std::move(root)) {}
  void create() const;  // the folder and its sub-folders

  const fs::path& root() const { return root_; }
  std::string run_id() const { return root_.filename().string(); }

  fs::path job_file() const { return root_ / "job.yml"; }       // as submitted, resolved; secrets as references
  fs::path plan_file() const { return root_ / "plan.json"; }    // what was started; secrets masked
  fs::path state_file() const { return root_ / "state.json"; }  // how it ended, written by keeper and supervisor
  fs::path history_file() const { return root_ / "history.jsonl.gz"; }  // what the store knew of it at its end
  fs::path owner_lock() const { return root_ / "owner.lock"; }          // flock: held while supervisor or keeper lives
  fs::path queue_file() const { return root_ / "queue.txt"; }           // why it waits for a cluster's nodes
  fs::path preparing_file() const { return root_ / "preparing.txt"; }   // which nodes are prepared, a line each
  fs::path preempt_file() const { return root_ / "preempt.json"; }      // somebody wants it to be preempted
  fs::path allocation_file() const { return root_ / "allocation.json"; }  // the nodes that it has there
  fs::path snapshot() const { return root_ / "snapshot"; }  // the `code` folder; the ranks' working folder
  fs::path outputs() const { return root_ / "outputs"; }    // the default artifact root
  fs::path output(const std::string& name) const { return outputs() / name; }
  fs::path logs() const { return root_ / "logs"; }
  fs::path rank_log(int rank) const;                             // logs/rank-<k>.log
  fs::path system_log() const { return logs() / "system.log"; }  // supervisor, keeper, mpirun
  fs::path prepare_log(int node) const;                          // logs/prepare-<node>.log
  fs::path node_preparation_log(int node) const;                 // logs/node-preparation-<node>.log
  fs::path user_logs() const { return logs() / "user"; }  // ./logs of the ranks: rank-0.log there is not rank 0's
  fs::path metrics() const { return root_ / "metrics"; }
  fs::path journal(int rank) const;                               // metrics/rank-<k>.jsonl
  fs::path tensorboard() const { return root_ / "tensorboard"; }  // event files, of ranks and of `lockstep tensorboard`
  fs::path checkpoints() const { return root_ / "checkpoints"; }
  fs::path ranks() const { return root_ / "ranks"; }
  fs::path rank_file(int rank) const;       // ranks/<k>.json: pid, start time, node of rank k
  fs::path stoppable_file(int rank) const;  // ranks/<k>.stoppable.json: a program that saves on TERM
  fs::path node(int node) const;            // nodes/<node>/: what the ranks of a node share
  fs::path ended_file(int rank) const;      // ranks/<k>.ended.json: the process of rank k that has ended (TensorFlow)
  fs::path prepared_file(int node) const;   // ranks/node-<node>.prepared.json: how the job's preparation goes there
  fs::path begin_file() const { return ranks() / "begin.json"; }  // all nodes are prepared: ranks may begin

 private:
  fs::path root_;
};

// A workspace: `.lockstep/`, on one machine.
class Workspace {
 public:
  explicit Workspace(fs::path root) : root_(std::move(root)) {}

  // $LOCKSTEP_WORKSPACE, else the nearest .lockstep/ here or above, else ./.lockstep (which may not exist yet).
  static Workspace find();
  void create() const;  // makes the folder, with a .gitignore that hides it

  const fs::path& root() const { return root_; }
  fs::path store_file() const { return root_ / "history.db"; }
  fs::path runs() const { return root_ / "runs"; }
  RunFolder run(const std::string& run_id) const { return RunFolder(runs() / run_id); }
  fs::path compute_file(const std::string& name) const { return computes() / (name + ".yml"); }  // its definition
  fs::path speeds_file(const std::string& compute) const {
    return computes() / (compute + ".speeds.json");
  }  // of its hosts
  fs::path computes() const { return root_ / "compute"; }
  fs::path quotas_file() const { return root_ / "quotas.yml"; }   // of VM families
  fs::path quotas_lock() const { return root_ / "quotas.lock"; }  // flock: held while they are changed
  fs::path artifacts() const { return root_ / "artifacts"; }      // of the server: what belongs to no run and no model
  fs::path model_artifacts(const std::string& model_id) const { return root_ / "models" / model_id / "artifacts"; }
  fs::path multipart_upload(const std::string& upload_id) const { return multipart_uploads() / upload_id; }
  fs::path multipart_uploads() const { return root_ / "multipart"; }
  fs::path uploads() const { return root_ / "uploads"; }  // bodies of requests that are not whole yet

 private:
  fs::path root_;
};

// Downloaded inputs, shared by all workspaces of this user: $LOCKSTEP_CACHE, else $XDG_CACHE_HOME/lockstep, else
// ~/.cache/lockstep.
fs::path cache_folder();

// The machine's ledger of slots: $LOCKSTEP_RUNTIME_DIR, else /run/lockstep for root, else $XDG_RUNTIME_DIR/lockstep,
// else /tmp/lockstep-<uid>.
fs::path runtime_folder();

}  // namespace lockstep
