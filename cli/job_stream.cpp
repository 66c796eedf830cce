// `lockstep job stream`: attach to a run, whether it runs or has ended.
#include <memory>

#include "cli/commands.hpp"
#include "cli/follow.hpp"

namespace lockstep::cli {

namespace {

struct StreamArguments {
  std::string name;
  std::optional<int> rank;
  bool quiet = false;
};

int stream(const StreamArguments& arguments) {
  const OpenWorkspace here = open_workspace();
  const history::Run run = here.store->get_run(arguments.name);  // a wrong name ends here, with the nearest one
  InterruptWatch interrupts;
  FollowOptions options;
  options.rank = arguments.rank;
  options.quiet = arguments.quiet;
  return exit_code_of(follow(here.workspace, run.run_id, -1, interrupts, options));
}

}  // namespace

void add_job_stream(const Command& job) {
  const Command command =
      job.add("stream", "Show a run's logs as they come, and its summary at the end",
              "lockstep job stream brave_otter_k3x9m2pq\n"
              "lockstep job stream -n brave_otter_k3x9m2pq --rank 3\n"
              "Ctrl-C detaches; the run goes on. Exits with 0 if the run completed, 1 if it failed or was\n"
              "canceled.");
  auto arguments = std::make_shared<StreamArguments>();
  add_name(command, arguments->name, "The run");
  command.option("--rank", arguments->rank, "K", "Only this rank's log");
  command.flag("-q,--quiet", arguments->quiet, "Show the ranks' own lines only");
  command.does([arguments] { return stream(*arguments); });
}

}  // namespace lockstep::cli
