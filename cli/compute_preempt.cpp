#include "cli/compute_preempt.hpp"

#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "launcher/supervise/preemption.hpp"

namespace lockstep::cli {

static int preempt(const std::string& name) {
  const OpenWorkspace here = open_workspace();
  if (supervise::request_preemption(here.workspace, *here.store, name, "asked with lockstep compute preempt")) {
    fmt::print(stderr, "{} gives its nodes back and waits for nodes again; to see it: lockstep job stream {}\n", name,
               name);
  } else {
    fmt::print(stderr, "{} was asked to give its nodes back before\n", name);
  }
  return 0;
}

void add_preempt_command(const Command& compute) {
  const Command command = compute.add(
      "preempt", "Take a run's nodes away as a cluster would: it saves, waits for nodes, and goes on; returns at once",
      "lockstep compute preempt brave_otter_k3x9m2pq\n"
      "lockstep compute preempt -n brave_otter_k3x9m2pq; lockstep job stream brave_otter_k3x9m2pq");
  auto name = std::make_shared<std::string>();
  add_name(command, *name, "The run");
  command.does([name] { return preempt(*name); });
}

}  // namespace lockstep::cli
