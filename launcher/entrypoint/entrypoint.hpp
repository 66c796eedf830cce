// What every rank is started through: finds its rank, opens its log, registers, sets the environment, becomes the
// command. `lockstep entrypoint [OPTION...] -- ARGV...`
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/process.hpp"
#include "common/run_folder.hpp"
#include "launcher/entrypoint/layout.hpp"

namespace lockstep::entrypoint {

// What the launcher does not tell its ranks.
struct Options {
  Toolkit toolkit = Toolkit::mpi;
  std::optional<int> procs_per_node = {};  // node and local rank are derived from it (several nodes on one machine)
  int nodes = 1;                           // these three: of TensorFlow's jobs
  int workers = 0;                         // 0: all processes are workers
  int parameter_servers = 0;
  std::string prepare = {};          // a command for bash, once on each node before its first rank
  std::string job_preparation = {};  // of a run: likewise, and no rank starts before all its nodes are prepared
  std::string sink = {};             // stay as the parent, and tell of the command in this folder
};

// Where a rank stands, from OMPI_*, PMI*/PMIX_*, SLURM_* or RANK/WORLD_SIZE; rank 0 of 1 when there is none of them.
struct RankPlace {
  int rank = 0;
  int size = 1;
  int node = 0;
  int node_count = 1;
  int local_rank = 0;
  int local_size = 1;
  bool has_peers = false;  // there are ranks on other machines (several nodes may be on one)
  Toolkit toolkit = Toolkit::mpi;
  std::vector<Task> tasks = {};  // of TensorFlow's jobs: what each rank does
};
RankPlace find_place(const Environment& environment, const Options& options);

// The environment table: one row per variable of formats "AML job variables". docs/environment.md is made from it.
struct VariableRow {
  enum class Status { set, empty, not_set };
  std::string name;
  Status status;
  std::string meaning;  // and, when empty or not set, why
  // Null unless the entrypoint itself sets it. An empty result means that there is nothing to give in this place
  // (outside of a run there is no run id), and the variable is left alone.
  std::string (*value)(const RankPlace& place, const Environment& environment);
};
const std::vector<VariableRow>& environment_table();
void add_rank_environment(Environment& environment, const RankPlace& place);  // all rows that are `set`
std::string environment_page();                                               // docs/environment.md
// What belongs to one rank of one run and must not reach a run that is started from inside of it: our rows, and what
// mpirun tells its ranks (an inner mpirun would take itself for a rank of the outer one).
void drop_rank_environment(Environment& environment);
// What mpirun tells its ranks: for programs of another toolkit, which would take it for an order to use MPI.
void drop_mpirun_environment(Environment& environment);

// Open MPI's traces of the job that a rank belongs to, by which its leftovers can be told from other jobs'.
struct MpiJob {
  std::string job_id;       // as in /dev/shm/vader_segment.<host>.<uid>.<job id>.<n>: hexadecimal, not padded
  fs::path session_folder;  // <tmp>/ompi.<host>.<uid>/pid.<mpirun's pid>
  bool operator==(const MpiJob&) const = default;
};
std::optional<MpiJob> find_mpi_job(const Environment& environment);

// A rank's registration in the run folder: who it is, for whoever must stop it or tell how it ended.
struct Registration {
  int rank = 0;
  int node = 0;
  ProcessId process;
  pid_t process_group = 0;
  std::string host = {};
  std::optional<MpiJob> mpi_job = std::nullopt;  // none when not started by Open MPI's mpirun
};
void write_registration(const RunFolder& folder, const Registration& registration);
// In the order of ranks. What is missing, or is no registration, is left out: never throws for what files hold.
std::vector<Registration> read_registrations(const RunFolder& folder);
std::optional<Registration> read_registration(const RunFolder& folder, int rank);
// Whether it is a process of this machine: only then its pid and start time mean anything here.
bool is_here(const Registration& registration);
// A program that saves and leaves on TERM (exit 75) and saves on USR1 registers itself; it alone is then signalled.
std::optional<ProcessId> read_stoppable(const RunFolder& folder, int rank);

// "; did you mean 'python3'?", from the programs in `path` (as in PATH), or "".
std::string did_you_mean_program(const std::string& name, const std::string& path);

// Never returns: it becomes the command, or ends with 126/127 and a message in the rank's log. In a run of TensorFlow
// it stays as the command's parent, because parameter servers do not end by themselves: theirs are stopped when the
// last worker has ended. Without LOCKSTEP_RUN_DIR there is no run folder: logs and registration are left out, the
// environment is set.
[[noreturn]] void become_rank(std::vector<std::string> argv, const Options& options);

}  // namespace lockstep::entrypoint
