// `lockstep job cancel`, `archive` and `restore`.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "launcher/supervise/supervisor.hpp"

namespace lockstep::cli {

static int cancel(const std::string& name) {
  const OpenWorkspace here = open_workspace();
  const history::Run run = here.store->get_run(name);
  if (history::is_terminal(run.state)) {
    fmt::print(stderr, "{} has ended before: {}\n", name, history::name_of(run.state));
  } else if (supervise::cancel(here.workspace, *here.store, name, "canceled with lockstep job cancel")) {
    fmt::print(stderr, "{} is asked to stop; to see it end: lockstep job stream {}\n", name, name);
  } else {
    fmt::print(stderr, "{} was asked to stop before\n", name);
  }
  return 0;
}

static int set_lifecycle(const std::string& name, history::Lifecycle lifecycle) {
  open_workspace().store->set_lifecycle(name, lifecycle);
  return 0;
}

static void add_one(const Command& job, const std::string& verb, const std::string& description,
                    const std::function<int(const std::string&)>& action) {
  const Command command = job.add(verb, description,
                                  fmt::format("lockstep job {0} brave_otter_k3x9m2pq\n"
                                              "lockstep job {0} -n brave_otter_k3x9m2pq",
                                              verb));
  auto name = std::make_shared<std::string>();
  add_name(command, *name, "The run");
  command.does([name, action] { return action(*name); });
}

void add_job_changes(const Command& job) {
  add_one(job, "cancel", "Ask a run to stop; returns at once", cancel);
  add_one(job, "archive", "Hide a run from listings; nothing is deleted",
          [](const std::string& name) { return set_lifecycle(name, history::Lifecycle::archived); });
  add_one(job, "restore", "Bring an archived run back into listings",
          [](const std::string& name) { return set_lifecycle(name, history::Lifecycle::active); });
}

}  // namespace lockstep::cli
