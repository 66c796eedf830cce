// What Open MPI leaves behind when mpirun and its ranks are killed: 4 MiB a rank in /dev/shm, a session folder in /tmp.
#pragma once

#include <vector>

#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::processes {

// The session folder and job of an mpirun, by its pid: for jobs whose ranks never came to register.
std::vector<entrypoint::MpiJob> mpi_jobs_of_launcher(pid_t pid);

// Removes the session folder and the vader segments of each job. Leaves everything alone whose names are not Open
// MPI's, that belongs to another user, or whose mpirun lives (then the pid, and with it the job id, is another run's by
// now).
void remove_mpi_leftovers(const std::vector<entrypoint::MpiJob>& jobs);

}  // namespace lockstep::processes
