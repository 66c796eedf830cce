// `lockstep-entrypoint`: `lockstep entrypoint` by itself, for containers and nodes that have nothing else of us.
#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "launcher/entrypoint/command_line.hpp"
#include "launcher/node/command_line.hpp"

static int print_help() {
  std::fputs(
      "Become a rank: find its place, open its log, set its environment, exec the command\n\n"
      "usage: lockstep-entrypoint [OPTION...] -- ARGV...\n\n",
      stdout);
  for (const auto& row : lockstep::entrypoint::option_rows()) {
    std::printf("  %-24s %s\n", fmt::format("{} {}", row.name, row.value).c_str(), row.help);
  }
  std::fputs(
      "\n  mpirun -np 4 lockstep-entrypoint -- python train.py\n"
      "  srun lockstep-entrypoint --toolkit pytorch -- python ddp.py\n",
      stdout);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--help" || first == "-h") return print_help();
  const std::span<const char* const> arguments(argv + 1, static_cast<std::size_t>(argc - 1));
  if (const auto code = lockstep::node::run_command_line(arguments)) return *code;
  return lockstep::entrypoint::run_command_line(arguments);
}
