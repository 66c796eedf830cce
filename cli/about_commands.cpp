// `lockstep version`, and the help page of `entrypoint` (which main() runs before any of this).
#include <fmt/format.h>

#include <array>

#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace lockstep::cli {

void add_version_command(const Command& root) {
  const Command command = root.add("version", "Print the version", "lockstep version");
  command.does([] {
    print_text(fmt::format("lockstep {}\n", LOCKSTEP_VERSION));
    return 0;
  });
}

void add_entrypoint_help(const Command& root) {
  const Command command =
      root.add("entrypoint", "Become a rank: find its place, open its log, set its environment, exec the command",
               "mpirun -np 4 lockstep entrypoint -- python train.py\n"
               "mpirun -np 4 lockstep entrypoint --procs-per-node 2 -- bash -c 'echo $NODE_RANK $LOCAL_RANK'\n"
               "srun lockstep entrypoint --toolkit pytorch -- python ddp.py");
  auto procs = std::make_shared<int>(0);
  auto argv = std::make_shared<std::vector<std::string>>();
  auto toolkit = std::make_shared<std::string>();
  auto counts = std::make_shared<std::array<int, 3>>();
  command.option("--toolkit", *toolkit, "NAME",
                 "How the processes find each other: mpi (the default), pytorch, tensorflow, none");
  command.option("--procs-per-node", *procs, "N", "Derive node and local rank from this many ranks per node");
  command.option("--nodes", counts->at(0), "N", "TensorFlow: over so many nodes");
  command.option("--workers", counts->at(1), "N", "TensorFlow: so many workers (all that are no parameter servers)");
  command.option("--parameter-servers", counts->at(2), "N", "TensorFlow: so many parameter servers (0)");
  auto texts = std::make_shared<std::array<std::string, 2>>();
  command.option("--prepare", texts->at(0), "COMMAND", "Run this by bash once on each node, before its first rank");
  command.option(
      "--sink", texts->at(1), "FOLDER",
      "Stay as the parent: keep the output, how it ended and what the machine did in FOLDER, bring it to the "
      "MLflow run of MLFLOW_RUN_ID, and pass on Azure's notices of preemption");
  command.option("argv", *argv, "-- ARGV...", "The command, after --");
  command.does([command, procs, toolkit, counts, texts, argv] {
    print_text(command.help());
    return 2;
  });
}

}  // namespace lockstep::cli
