#include "launcher/entrypoint/entrypoint.hpp"

#include "common/error.hpp"

namespace lockstep::entrypoint {

namespace {
const char* const head =
    R"(# Environment variables

What a rank finds in its environment, and what the commands read from theirs. This page is made from the table in
`launcher/entrypoint/environment_table.cpp`; a test compares the two.

## What a rank finds

Ranks inherit the environment of the `lockstep` command (the job's `environment_variables` on top of it); the entrypoint
then adds the rows marked *set*. The names are Azure ML's, so that its scripts run as they are. Nothing is faked: a
variable that could only hold an invented value is *not set*, and says why.

| variable | | what it is |
|---|---|---|
)";

const char* const settings = R"(
Outside of a run (`lockstep entrypoint -- COMMAND` in a container) what comes "from the plan" is missing, and so is what
derives from it: AZUREML_RUN_ID and AZUREML_EXPERIMENT_NAME.

In jobs of `type: pytorch` and `tensorflow` (`--toolkit`) mpirun's own variables are taken away. Where the nodes are: from
LOCKSTEP_NODES, else AZ_BATCH_HOST_LIST (Azure), else SLURM_STEP_NODELIST; a single node is at 127.0.0.1. What Azure has set
in a container of its own stays.

Where the entrypoint finds its rank, the first that is there: OMPI_COMM_WORLD_RANK (Open MPI), PMI_RANK (Intel MPI,
MPICH), SLURM_PROCID within a step of `srun`, PMIX_RANK; outside of a run also RANK and WORLD_SIZE. Without any of them it
is rank 0 of 1.

## What the commands read

| variable | what it is |
|---|---|
| `LOCKSTEP_WORKSPACE` | the workspace folder; default: the nearest `.lockstep/` here or above, else `./.lockstep` |
| `LOCKSTEP_CACHE` | downloaded inputs; default: `$XDG_CACHE_HOME/lockstep`, else `~/.cache/lockstep` |
| `LOCKSTEP_RUNTIME_DIR` | the ledger of this machine's slots; default: `/run/lockstep` for root, else `$XDG_RUNTIME_DIR/lockstep`, else `/tmp/lockstep-<uid>` |
| `LOCKSTEP_SLOTS` | how many ranks this machine runs at once; default: as many as it has cores |
| `MLFLOW_TRACKING_URI` and its kin | `lockstep-train` without a launcher: where it reports to ([metrics.md](metrics.md)) |
| `LOCKSTEP_FAULT` | for tests: the point at which a process kills itself (`<name>` or `<name>:<n>`, the n-th time) |
)";

const char* name_of(VariableRow::Status status) {
  switch (status) {
    case VariableRow::Status::set:
      return "set";
    case VariableRow::Status::empty:
      return "empty";
    case VariableRow::Status::not_set:
      return "not set";
  }
  return "";
}
}  // namespace

std::string environment_page() {
  std::string page = head;
  for (const VariableRow& row : environment_table()) {
    page += fmt::format("| `{}` | {} | {} |\n", row.name, name_of(row.status), row.meaning);
  }
  return page + settings;
}

}  // namespace lockstep::entrypoint
