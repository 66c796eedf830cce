#include "launcher/hosts/network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "common/message_partners.hpp"
#include "launcher/hosts/ssh.hpp"
#include "launcher/plan/remote.hpp"
#include "launcher/processes/mpirun_report.hpp"

namespace lockstep::hosts {

namespace {
constexpr int mpirun_limit_s = 60;  // the program's own limits come before
constexpr std::chrono::seconds limit(70);
constexpr const char* remedy =
    "let TCP pass between the nodes on all ports (a firewall?), or name the network that they share: "
    "environment_variables: {OMPI_MCA_btl_tcp_if_include: 10.0.0.0/24}";

using Missing = std::vector<std::set<std::size_t>>;  // by node: those that it does not reach

std::string duration(double seconds) {
  return seconds < 1e-3 ? fmt::format("{:.0f} us", seconds * 1e6) : fmt::format("{:.1f} ms", seconds * 1e3);
}

struct Said {
  std::set<std::size_t> here;
  std::set<std::pair<std::size_t, std::size_t>> heard;
  std::set<std::size_t> wrong;
  std::vector<std::string> sums;
};

// Other lines are mpirun's, or of a node's shell.
Said understand(std::string_view text, std::size_t nodes) {
  Said said;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    std::size_t first = 0;
    double second = 0;
    if (!(words >> word >> first)) continue;
    const bool is_node = first < nodes;
    const bool has_second = static_cast<bool>(words >> second) && second >= 0;
    if (word == "here" && is_node) said.here.insert(first);
    if (word == "wrong" && is_node) said.wrong.insert(first);
    if (word == "heard" && is_node && has_second && second < static_cast<double>(nodes)) {
      said.heard.insert({first, static_cast<std::size_t>(second)});
    }
    if (word == "sum" && has_second && second > 0) {
      const auto bytes = static_cast<double>(first);
      said.sums.push_back(first < 1024 ? fmt::format("{} B in {}", first, duration(second))
                                       : fmt::format("{:.0f} MiB in {} ({:.2f} GB/s)", bytes / (1 << 20),
                                                     duration(second), bytes / second / 1e9));
    }
  }
  return said;
}

// Of its partners.
Missing unheard(const Said& said, std::size_t nodes) {
  Missing missing(nodes);
  for (std::size_t node = 0; node < nodes; ++node) {
    for (const std::size_t other : message_partners(node, nodes)) {
      if (said.heard.contains({node, other})) continue;
      missing[node].insert(other);
      missing[other].insert(node);
    }
  }
  return missing;
}

// Where a connection is refused Open MPI ends the program at once, and many a message is not heard for that alone. But
// it says which: "from node-1 to: node-2 Unable to connect to the peer 10.0.0.2 on port 1024: No route to host". The
// names are those that the machines have for themselves.
Missing refused(std::string_view complaints, const std::vector<spec::Host>& nodes) {
  Missing missing(nodes.size());
  const auto place_of = [&](const std::string& name) {
    const auto found = std::find_if(nodes.begin(), nodes.end(),
                                    [&](const spec::Host& each) { return each.name == name || each.address == name; });
    return static_cast<std::size_t>(found - nodes.begin());
  };
  std::istringstream words{std::string(complaints)};
  std::string from;
  std::string to;
  for (std::string word; words >> word;) {
    if (word == "from") words >> from;
    if (word == "to:") words >> to;
    if (word != "peer") continue;
    std::string address;
    words >> address;
    const std::size_t first = place_of(from);
    const std::size_t second = std::min(place_of(to), place_of(address));
    if (first == nodes.size() || second == nodes.size() || first == second) continue;
    missing[first].insert(second);
    missing[second].insert(first);
  }
  return missing;
}

bool is_any(const Missing& missing) {
  return std::any_of(missing.begin(), missing.end(), [](const auto& each) { return !each.empty(); });
}

std::string names(const std::vector<spec::Host>& nodes) {
  std::vector<std::string> found;
  for (const auto& each : nodes) found.push_back(each.name);
  return fmt::format("{}", fmt::join(found, ", "));
}

std::string names(const std::vector<spec::Host>& nodes, const std::set<std::size_t>& those) {
  std::vector<spec::Host> found;
  for (const std::size_t each : those) found.push_back(nodes[each]);
  return names(found);
}

// Mpirun's own words, which stand between rules of dashes.
std::string reason_in(std::string_view complaints) {
  const auto report = processes::parse_mpirun_report(complaints);
  return report.trouble.empty() ? last_line(complaints) : report.trouble;
}

// The last of those that most others do not reach; and another one that misses as many, the one it misses first.
void blame(const Missing& missing, const std::vector<spec::Host>& nodes, NetworkReport& report) {
  const auto worst = std::max_element(missing.rbegin(), missing.rend(),
                                      [](const auto& a, const auto& b) { return a.size() < b.size(); });
  const std::size_t bad = static_cast<std::size_t>(missing.rend() - worst) - 1;
  const auto alike = std::find_if(worst->begin(), worst->end(),
                                  [&](std::size_t other) { return missing[other].size() == worst->size(); });
  if (alike != worst->end()) report.or_else = *alike;
  report.bad = bad;
  report.problem =
      fmt::format("{}: no message of MPI passes between it and {}: {}", nodes[bad].name, names(nodes, *worst), remedy);
}
}  // namespace

NetworkReport judge_network(const std::vector<spec::Host>& nodes, std::string_view said, bool ended_well,
                            std::string_view complaints) {
  const Said heard = understand(said, nodes.size());
  NetworkReport report;
  if (!heard.sums.empty()) report.measured = fmt::format("a sum: {}", fmt::join(heard.sums, ", "));
  if (!heard.wrong.empty()) {
    report.problem = fmt::format(
        "a sum over the nodes comes out wrong ({}): memory or a network card is broken: replace nodes one after the "
        "other to find it",
        names(nodes, heard.wrong));
    return report;
  }
  if (ended_well) return report;
  auto missing = refused(complaints, nodes);
  if (!is_any(missing) && heard.here.size() < nodes.size()) {
    report.problem = fmt::format("MPI does not begin on {}: {}", names(nodes), reason_in(complaints));
    return report;
  }
  if (!is_any(missing)) missing = unheard(heard, nodes.size());
  if (!is_any(missing)) {
    report.problem = fmt::format("a sum over {} does not come to its end: {}", names(nodes), remedy);
    return report;
  }
  blame(missing, nodes, report);
  return report;
}

NetworkReport check_network(const plan::Plan& plan, const Environment& environment,
                            const std::function<bool()>& canceled) {
  const auto& compute = plan::remote_of(plan).compute;
  const fs::path there = compute.node_program.parent_path() / network_check_program;
  if (!compute.network_check || plan.nodes.size() < 2 || plan.job.distribution.type == spec::DistributionType::none)
    return {};
  if (::access((this_program().parent_path() / network_check_program).c_str(), X_OK) != 0) {
    return {
        {}, {}, {}, fmt::format("whether messages pass is not checked: no {} beside lockstep", network_check_program)};
  }
  const Command command{plan::mpirun_once_per_node(plan, there.string(), mpirun_limit_s), {}, environment};
  const Result result = run_together({command}, limit, canceled).front();
  const std::string& complaints = result.errors.empty() ? result.output : result.errors;
  return judge_network(plan::remote_of(plan).hosts, result.output, result.exit_code == 0, complaints);
}

}  // namespace lockstep::hosts
