#include <cstring>
#include <span>

#include "cli/application.hpp"
#include "launcher/entrypoint/command_line.hpp"

// Ranks come first: a run of 64 of them starts this program 64 times, so nothing stands before them.
static bool is_rank(int argc, char** argv) {
  return argc >= 3 && std::strcmp(argv[1], "entrypoint") == 0 && std::strcmp(argv[2], "--help") != 0 &&
         std::strcmp(argv[2], "-h") != 0;
}

int main(int argc, char** argv) {
  if (!is_rank(argc, argv)) return lockstep::cli::run_application(argc, argv);
  return lockstep::entrypoint::run_command_line({argv + 2, static_cast<std::size_t>(argc - 2)});
}
