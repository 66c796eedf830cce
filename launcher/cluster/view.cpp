#include "launcher/cluster/view.hpp"

#include <algorithm>
#include <cctype>

#include "common/error.hpp"
#include "common/process_file.hpp"
#include "launcher/cluster/cluster.hpp"
#include "launcher/cluster/daemons.hpp"
#include "launcher/cluster/ports.hpp"
#include "launcher/slurm/fields.hpp"

namespace lockstep::cluster {

using slurm::split;

namespace {

Daemon daemon_named(const ClusterFolder& folder, const std::string& name) {
  const auto process = read_process_file(folder.process_file(name));
  if (!process) return {name, 0, false};
  return {name, process->pid, is_alive(*process)};
}

std::string lower(std::string_view text) {
  std::string all(text);
  for (char& each : all) each = static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
  return all;
}

}  // namespace

std::vector<NodeState> parse_nodes(std::string_view text) {
  std::vector<NodeState> nodes;
  for (const auto line : split(text, '\n')) {
    NodeState node;
    for (const auto word : split(line, ' ')) {
      if (word.starts_with("NodeName=") && node.name.empty()) node.name = word.substr(9);
      if (word.starts_with("State=") && node.state.empty()) node.state = lower(word.substr(6));
    }
    if (!node.name.empty()) nodes.push_back(std::move(node));
  }
  return nodes;
}

std::vector<JobState> parse_jobs(std::string_view text) {
  std::vector<JobState> jobs;
  for (const auto line : split(text, '\n')) {
    const auto parts = split(line, '|', 6);  // a job's name, which is the last, may have anything
    if (parts.size() != 6) continue;
    JobState job;
    job.id = parts[0];
    job.state = parts[1];
    job.partition = parts[2];
    job.nodes = parts[3];
    job.reason = parts[4] == "None" ? "" : parts[4];
    job.name = parts[5];
    jobs.push_back(std::move(job));
  }
  return jobs;
}

std::optional<View> look_at(const ClusterFolder& folder) {
  const auto spec = spec_from_json(read_file_if_exists(folder.record()).value_or(""));
  if (!spec) return std::nullopt;
  View view;
  view.spec = *spec;
  for (const auto& each : spec->daemon_names()) view.daemons.push_back(daemon_named(folder, each));
  const bool answers = runs(folder, "munged") && runs(folder, "slurmctld");
  for (const auto& each : all_nodes(folder, *spec)) view.daemons.push_back(daemon_named(folder, each));
  if (!answers || !is_listening(spec->first_port)) {  // Slurm's commands would go on trying for 10 s and more
    view.problem = answers ? "slurmctld does not listen" : "munged or slurmctld does not run";
    return view;
  }
  const Environment environment = environment_for(folder, current_environment());
  try {
    view.nodes = parse_nodes(ask_slurm(environment, {"scontrol", "-o", "show", "nodes"}));
    view.jobs = parse_jobs(ask_slurm(environment, {"squeue", "--noheader", "--all", "--format", job_format}));
  } catch (const Error& error) {
    view.problem = error.what();
  }
  return view;
}

}  // namespace lockstep::cluster
