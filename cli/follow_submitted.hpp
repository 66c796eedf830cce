// Submitting a job and following it to its end: what `run` and `job create --stream` share.
#pragma once

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/submission.hpp"

namespace lockstep::cli {

// --set, --name, --stop-grace.
void add_submission_options(const Command& command, SubmissionOptions& options);

struct FollowSubmitted {
  bool quiet = false;
  OutputOptions output;  // when given: the job is printed to stdout at the end, and all else goes to stderr
};

// Ctrl-C cancels the run. Gives the exit code of how the run ended.
int submit_and_follow(const SubmissionOptions& submission, const FollowSubmitted& options);

}  // namespace lockstep::cli
