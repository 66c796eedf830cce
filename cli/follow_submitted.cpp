#include "cli/follow_submitted.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/follow.hpp"
#include "cli/job_view.hpp"
#include "cli/screen.hpp"
#include "common/trace.hpp"

namespace lockstep::cli {

void add_submission_options(const Command& command, SubmissionOptions& options) {
  command.option("--set", options.sets, "KEY=VALUE", "Change a value of the file: inputs.lr=0.01 (several are fine)");
  command.option("-n,--name", options.name, "NAME", "The run's name (default: the file's, else a generated one)");
  command.option("--stop-grace", options.stop_grace_s, fmt::format("SECONDS [{}]", options.stop_grace_s),
                 "Seconds that ranks have for saving when they are stopped");
  command.option("--max-restarts", options.max_restarts, "N [0]",
                 "Begin again so often when it fails: on other nodes in place of lost ones, from the last checkpoint");
  command.flag("--elastic", options.elastic,
               fmt::format("Where lost nodes can't be replaced, go on with those that are left (--max-restarts {})",
                           restarts_of_elastic));
  command.option("--min-nodes", options.min_nodes, "N [1]", "With no fewer nodes; makes the run elastic");
}

int submit_and_follow(const SubmissionOptions& submission, const FollowSubmitted& options) {
  const Workspace workspace = Workspace::find();
  // From here on a Ctrl-C means the run: before the submission too, or one could slip through between.
  InterruptWatch interrupts;
  const Submitted submitted = submit_job(submission, workspace);
  trace("submitted");
  const std::string& run_id = submitted.plan.run_id;

  FollowOptions follow_options;
  follow_options.quiet = options.quiet;
  follow_options.out = options.output.given() ? STDERR_FILENO : STDOUT_FILENO;
  follow_options.cancel = [&] {
    const auto store = history::open_sqlite_store(workspace.store_file());
    supervise::cancel(workspace, *store, run_id, "canceled with Ctrl-C");
  };
  if (!options.quiet) {
    Screen screen(follow_options.out, false);
    screen.say(fmt::format("RunId: {}", run_id));
    for (const auto& note : submitted.plan.notes) screen.say(fmt::format("note: {}", note));
    screen.flush();
  }
  const Followed followed = follow(workspace, run_id, submitted.started.ended.get(), interrupts, follow_options);
  trace("followed");
  if (options.quiet && followed.run.state == history::RunState::failed) {
    fmt::print(stderr, "lockstep: {} failed: {}\n", run_id, followed.run.outcome.reason);
  }
  if (options.output.given()) {
    const auto store = history::open_sqlite_store(workspace.store_file());
    print(job_json(read_details(*store, workspace, run_id), workspace), options.output);
  }
  return exit_code_of(followed);
}

}  // namespace lockstep::cli
