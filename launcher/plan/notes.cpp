#include "launcher/plan/notes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "launcher/plan/references.hpp"
#include "launcher/plan/remote.hpp"
#include "launcher/plan/secrets.hpp"
#include "launcher/spec/expression.hpp"

namespace lockstep::plan {

// Keys that a job for Azure may have and that mean nothing on this machine.
static std::vector<std::string> recorded_only(const spec::CommandJob& job) {
  std::vector<std::string> keys;
  if (!job.resources.instance_type.empty()) keys.emplace_back("resources.instance_type");
  if (!job.resources.shm_size.empty()) keys.emplace_back("resources.shm_size");
  if (!job.resources.docker_args.empty()) keys.emplace_back("resources.docker_args");
  if (!job.resources.properties.empty()) keys.emplace_back("resources.properties");
  if (!job.identity_type.empty()) keys.emplace_back("identity");
  if (!job.queue_job_tier.empty() || !job.queue_priority.empty()) keys.emplace_back("queue_settings");
  return keys;
}

static std::string path_of(const Plan& plan, const std::string& kind, const std::string& name) {
  for (const auto& input : plan.inputs) {
    if (kind == "inputs" && input.name == name) return input.path.string();
  }
  for (const auto& output : plan.outputs) {
    if (kind == "outputs" && output.name == name) return output.path.string();
  }
  return "";
}

// The text of a path replaces its reference as it is, so a blank in it makes two arguments.
static void add_path_notes(const Plan& plan, std::string_view command, std::vector<std::string>& notes) {
  for (const auto& reference : spec::references_in(command, [](std::size_t, const std::string&) {})) {
    const char before = reference.begin == 0 ? ' ' : command[reference.begin - 1];
    if (reference.path.size() != 2 || before == '"' || before == '\'') continue;
    const std::string text(command.substr(reference.begin, reference.end - reference.begin));
    const std::string path = path_of(plan, reference.path[0], reference.path[1]);
    if (path.empty() || !needs_quotes(path)) continue;
    notes.push_back(fmt::format("{} becomes a path that a shell takes apart ({}): put it in quotes", text, path));
  }
}

static void add_slot_notes(const Plan& plan, const LocalCompute& compute, std::vector<std::string>& notes) {
  if (plan.nodes.size() > 1) {
    notes.push_back(fmt::format("the {} nodes are slots of this machine ({})", plan.nodes.size(), compute.host_name));
  }
  if (plan.oversubscribed) {
    notes.push_back(
        fmt::format("{} ranks share {} slots: the run waits until it has the machine for itself, and its "
                    "ranks take turns on the cores",
                    plan.ranks.size(), compute.slots));
  }
}

static void add_host_notes(const Plan& plan, std::vector<std::string>& notes) {
  const auto& hosts = remote_of(plan).compute.hosts;
  const auto all = hosts ? hosts->hosts.size() : 0;
  if (all > plan.nodes.size()) {
    notes.push_back(fmt::format("which {} of the {} hosts of '{}' it gets is decided when they are free and well",
                                plan.nodes.size(), all, plan.compute));
  }
  if (plan.oversubscribed) notes.emplace_back("more ranks than slots on a host: they take turns on its cores");
  if (sends_files(plan)) {
    notes.emplace_back(
        "the nodes share no files with this machine: code and inputs are sent, and what ranks write comes back");
  }
}

std::vector<std::string> notes_for(const Plan& plan, const Compute& compute) {
  std::vector<std::string> notes;
  const auto& job = plan.job;
  if (plan.remote) add_host_notes(plan, notes);
  if (const auto* local = std::get_if<LocalCompute>(&compute)) add_slot_notes(plan, *local, notes);
  if (plan.environment.contains("OMP_NUM_THREADS") && !job.environment_variables.contains("OMP_NUM_THREADS")) {
    notes.emplace_back(
        "OMP_NUM_THREADS=1, one thread per rank: threads of several ranks spin against each other on "
        "the same cores; set it in environment_variables to choose otherwise");
  }
  if (!job.environment.empty()) {
    notes.push_back(fmt::format("environment is recorded only: the run uses the programs and packages of {}",
                                plan.remote ? "its nodes" : "this machine"));
  }
  if (!job.services.empty()) {
    std::vector<std::string> names;
    for (const auto& [name, service] : job.services) names.push_back(name);
    notes.push_back(fmt::format("services are recorded and not started: {}", fmt::join(names, ", ")));
  }
  const auto keys = recorded_only(job);
  if (!keys.empty())
    notes.push_back(fmt::format("recorded, without effect on {}: {}", plan.remote ? "other machines" : "this machine",
                                fmt::join(keys, ", ")));
  for (const std::string* text : {&job.command, &job.preparation}) add_path_notes(plan, *text, notes);
  for (const auto& name : secrets_in_command(plan)) {
    notes.push_back(fmt::format(
        "the command contains the value of {0}, and every user of the machine can read argument lists: write ${0}",
        name));
  }
  return notes;
}

}  // namespace lockstep::plan
