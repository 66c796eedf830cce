// Where the ranks of one job share what they do once on their node.
#pragma once

#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {

// In a run: nodes/<node>/ of the run folder. Elsewhere a folder of this user's in $TMPDIR (or /tmp), of the ranks that
// one mpirun, one step of Slurm, or else one parent process has started. Makes it.
fs::path node_folder(const RankPlace& place, const Environment& environment);

}  // namespace lockstep::entrypoint
