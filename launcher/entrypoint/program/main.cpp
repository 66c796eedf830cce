// `lockstep-entrypoint`: `lockstep entrypoint` by itself, for containers and nodes that have nothing else of us.
#include <cstdio>
#include <string_view>

#include "launcher/entrypoint/command_line.hpp"

static constexpr const char* help =
    R"(Become a rank: find its place, open its log, set its environment, exec the command

usage: lockstep-entrypoint [OPTION...] -- ARGV...

  --toolkit NAME           How the processes find each other: mpi (the default), pytorch, tensorflow, none
  --procs-per-node N       Derive node and local rank from this many ranks per node
  --nodes N                TensorFlow: over so many nodes
  --workers N              TensorFlow: so many workers (all that are no parameter servers)
  --parameter-servers N    TensorFlow: so many parameter servers (0)
  --prepare COMMAND        Run this by bash once on each node, before its first rank; output: logs/prepare-<node>.log
  --sink FOLDER            Stay as the parent: keep the output, how it ended and what the machine did in FOLDER,
                           bring it to the MLflow run of MLFLOW_RUN_ID, and pass on Azure's notices of preemption

  mpirun -np 4 lockstep-entrypoint -- python train.py
  srun lockstep-entrypoint --toolkit pytorch -- python ddp.py
)";

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--help" || first == "-h") return std::fputs(help, stdout) < 0 ? 1 : 0;
  return lockstep::entrypoint::run_command_line({argv + 1, static_cast<std::size_t>(argc - 1)});
}
