// `lockstep version`, and the help page of `entrypoint` (which main() runs before any of this).
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "launcher/entrypoint/command_line.hpp"

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
  const auto rows = entrypoint::option_rows();
  auto argv = std::make_shared<std::vector<std::string>>();
  auto values = std::make_shared<std::vector<std::string>>(rows.size());  // nobody reads them: main() has by now
  for (std::size_t i = 0; i < rows.size(); ++i)
    command.option(rows[i].name, values->at(i), rows[i].value, rows[i].help);
  command.option("argv", *argv, "-- ARGV...", "The command, after --");
  command.does([command, values, argv] {
    print_text(command.help());
    return 2;
  });
}

}  // namespace lockstep::cli
