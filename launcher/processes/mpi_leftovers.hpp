// What Open MPI keeps outside the run folder, and leaves behind when mpirun and its ranks are killed: 4 MiB a rank in
// /dev/shm, a session folder in /tmp.
#pragma once

#include <vector>

#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::processes {

// Sees to it that <temporary>/ompi.<host>.<uid> is there and never empty, before an mpirun or its daemon starts here.
// Open MPI 4.1 removes it with its last job; another job that begins just then finds it there when it makes it, and
// gone when it looks again, and ends with "mkdir ... File exists" (one of 600 starts, beside three other loops of
// mpirun). `temporary`: where Open MPI looks by itself when it is empty.
void keep_session_folder(const fs::path& temporary = {});

// The session folder and job of an mpirun, by its pid: for jobs whose ranks never came to register.
std::vector<entrypoint::MpiJob> mpi_jobs_of_launcher(pid_t pid);

// Removes the session folder and the vader segments of each job. Leaves everything alone whose names are not Open
// MPI's, that belongs to another user, or whose mpirun lives (then the pid, and with it the job id, is another run's by
// now).
void remove_mpi_leftovers(const std::vector<entrypoint::MpiJob>& jobs);

}  // namespace lockstep::processes
