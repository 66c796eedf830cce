// `lockstep entrypoint` without the rest of the command: [--procs-per-node N] -- ARGV...
#include <cstring>

#include "launcher/entrypoint/entrypoint.hpp"

int main(int argc, char** argv) {
  std::optional<int> procs_per_node;
  int at = 1;
  if (argc > 2 && std::strcmp(argv[at], "--procs-per-node") == 0) {
    procs_per_node = std::stoi(argv[at + 1]);
    at += 2;
  }
  lockstep::entrypoint::become_rank({argv + at + 1, argv + argc}, procs_per_node);
}
