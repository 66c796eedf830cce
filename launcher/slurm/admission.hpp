// Whether a cluster would ever give a run its nodes, and which limit of a QOS or an account a run waits for.
#pragma once

#include <string>

#include "launcher/slurm/commands.hpp"
#include "launcher/slurm/queue.hpp"

namespace lockstep::slurm {

// "", or that Slurm does not take it, or would let it wait for ever, with the reason and what helps. Its own trial
// counts one core of each node that a run wants as a whole, so what a QOS or an account has for all its jobs is looked
// at here, too.
std::string refusal_of(const spec::SlurmEngine& engine, const Request& request);

// "waiting for cores of QOS small (limit 8, in use 6), of which it needs 4"; "" of a job that waits for anything else,
// or where the numbers are not told. Answers are kept in `folder` (kept_answer.hpp).
std::string limit_text(const spec::SlurmEngine& engine, const fs::path& folder, const QueueRow& job);

}  // namespace lockstep::slurm
