#include <cstdio>
#include <cstring>
#include <span>

#include "cli/application.hpp"
#include "cli/entrypoint_command.hpp"
#include "common/error.hpp"
#include "launcher/entrypoint/entrypoint.hpp"

// Ranks come first: a run of 64 of them starts this program 64 times, so nothing stands before them.
static bool is_rank(int argc, char** argv) {
  return argc >= 3 && std::strcmp(argv[1], "entrypoint") == 0 && std::strcmp(argv[2], "--help") != 0 &&
         std::strcmp(argv[2], "-h") != 0;
}

int main(int argc, char** argv) {
  using namespace lockstep;
  if (!is_rank(argc, argv)) return cli::run_application(argc, argv);
  try {
    auto arguments = cli::parse_entrypoint(std::span<const char* const>(argv + 2, static_cast<std::size_t>(argc - 2)));
    entrypoint::become_rank(std::move(arguments.argv), arguments.procs_per_node);
  } catch (const Error& error) {
    std::fprintf(stderr, "lockstep: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
