#include "launcher/slurm/nodes.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "common/error.hpp"
#include "common/host_list.hpp"
#include "launcher/slurm/commands.hpp"
#include "launcher/slurm/fields.hpp"

namespace lockstep::slurm {

namespace {
constexpr std::chrono::seconds time_for_sinfo(15);
constexpr std::size_t node_columns = 7;

template <class Number>
Number number_or_zero(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "idle~", "allocated#", "down*": a word, and marks of power and of silence after it (man sinfo, NODE STATE CODES).
std::string state_of(std::string_view told, bool& silent) {
  const std::size_t end = std::min(told.find_first_of("*~#!%$@^-+"), told.size());
  const std::string_view word = told.substr(0, end);
  const std::string_view marks = told.substr(end);
  const auto marked = [&](char mark) { return marks.find(mark) != std::string_view::npos; };
  silent = marked('*');
  constexpr std::array<std::string_view, 5> broken = {"down", "drained", "draining", "fail", "failing"};
  if (std::find(broken.begin(), broken.end(), word) != broken.end())
    return "unusable";  // also one that did not come when it was called
  if (marked('~')) return "off";
  if (marked('#') || marked('^') || marked('@')) return "preparing";
  if (marked('%') || marked('!')) return "leaving";
  if (silent) return "unusable";
  constexpr std::array<std::string_view, 2> idle = {"idle", "planned"};
  constexpr std::array<std::string_view, 3> busy = {"allocated", "mixed", "completing"};
  if (std::find(idle.begin(), idle.end(), word) != idle.end()) return "idle";
  if (std::find(busy.begin(), busy.end(), word) != busy.end()) return "running";
  return "unusable";
}
}  // namespace

std::vector<std::string> sinfo_argv(const spec::SlurmEngine& engine) {
  std::vector<std::string> argv{"sinfo", "--noheader", "--Node", "--format=%N|%T|%c|%m|%G|%o|%E"};
  argv.push_back(engine.partition.empty() ? "--all" : "--partition=" + engine.partition);
  return argv;
}

std::vector<NodeRow> read_nodes(std::string_view sinfo_output) {
  std::vector<NodeRow> nodes;
  for (const auto line : split(sinfo_output, '\n')) {
    const auto fields = split(line, '|', node_columns);
    if (fields.size() != node_columns || fields[0].empty()) continue;
    const bool known =
        std::any_of(nodes.begin(), nodes.end(), [&](const auto& each) { return each.name == fields[0]; });
    if (known) continue;  // it is in several partitions
    bool silent = false;
    NodeRow node{std::string(fields[0]), std::string(fields[5]), state_of(fields[1], silent), "", 0, 0, ""};
    if (node.state == "unusable") {
      node.reason = fields[6] == "none" || fields[6].empty() ? std::string(fields[1]) : std::string(fields[6]);
      if (silent) node.reason = "it does not answer" + (fields[6] == "none" ? "" : ": " + std::string(fields[6]));
    }
    node.cores = number_or_zero<int>(fields[2]);
    node.memory_bytes = number_or_zero<std::int64_t>(fields[3]) << 20;  // sinfo counts MiB
    if (fields[4] != "(null)") node.gres = fields[4];
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::vector<NodeRow> nodes_of(const spec::SlurmEngine& engine) {
  const auto asked = run_program(
      {.argv = sinfo_argv(engine), .environment = environment_for(engine), .working_folder = {}}, time_for_sinfo);
  if (asked.exit_code() != 0) throw failure("sinfo: {}", asked.output);
  return read_nodes(asked.output);
}

std::string start_time_of(const spec::SlurmEngine& engine, const std::string& node) {
  const auto asked = run_program({.argv = {"scontrol", "--oneliner", "show", "node", node},
                                  .environment = environment_for(engine),
                                  .working_folder = {}},
                                 time_for_sinfo);
  constexpr std::string_view mark = "SlurmdStartTime=";
  for (const auto word : split(asked.output, ' ')) {
    if (word.starts_with(mark)) return std::string(word.substr(mark.size()));
  }
  return "";
}

std::string job_on(const std::vector<QueueRow>& rows, const std::string& node) {
  for (const auto& row : rows) {
    if (row.node_list.empty() || row.state == "PENDING") continue;
    const auto names = expand_host_list(row.node_list);
    if (std::find(names.begin(), names.end(), node) == names.end()) continue;
    constexpr std::string_view ours = "lockstep-";
    return row.name.starts_with(ours) ? row.name.substr(ours.size()) : "job " + std::to_string(row.job_id);
  }
  return "";
}

}  // namespace lockstep::slurm
