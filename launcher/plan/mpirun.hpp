// How ranks are started on one machine by Open MPI.
#pragma once

#include <string>
#include <vector>

#include "common/process.hpp"

namespace lockstep::plan {

// The argument list up to and without the program. A component parameter that the person chose through an OMPI_MCA_
// variable of `environment` is left to that variable (on the command line ours would win over it).
std::vector<std::string> mpirun_argv(int ranks, bool oversubscribed, const Environment& environment);

}  // namespace lockstep::plan
