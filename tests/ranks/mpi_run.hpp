// Programs under mpirun, as tests start them.
#pragma once

#include <sys/wait.h>

#include <string>
#include <vector>

#include "common/file.hpp"
#include "common/process.hpp"

namespace lockstep::testing {

inline ProgramSpec mpi_program(int ranks, std::vector<std::string> argv, const Environment& extra = {}) {
  ProgramSpec program;
  program.argv = {"mpirun", "--oversubscribe", "--bind-to", "none",       "--mca", "pml",
                  "ob1",    "--mca",           "btl",       "self,vader", "-np",   std::to_string(ranks)};
  program.argv.insert(program.argv.end(), argv.begin(), argv.end());
  program.environment = current_environment();
  program.environment["OMPI_ALLOW_RUN_AS_ROOT"] = program.environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  for (const auto& [name, value] : extra) program.environment[name] = value;
  return program;
}

inline ProgramResult run_mpi(int ranks, std::vector<std::string> argv, const Environment& extra = {}) {
  return run_program(mpi_program(ranks, std::move(argv), extra), std::chrono::minutes(4));
}

}  // namespace lockstep::testing
