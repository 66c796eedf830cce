#include "launcher/cluster/power.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/host_list.hpp"
#include "launcher/autoscale/fragment.hpp"
#include "launcher/cluster/asked.hpp"
#include "launcher/cluster/cluster.hpp"
#include "launcher/cluster/machine.hpp"
#include "launcher/cluster/workers.hpp"

namespace lockstep::cluster {

namespace {

constexpr std::string_view our_mark = "lockstep: ";  // begins a reason that is ours to take back
constexpr std::size_t longest_reason = 200;
constexpr int look_pause_ms = 1000;
constexpr std::int64_t longest_way_out_ms = 120'000;

using autoscale::ScaledNodes;
using autoscale::SlurmFolder;

std::string reason_of(const std::string& problem) {
  std::string reason = std::string(our_mark) + problem;
  std::replace_if(
      reason.begin(), reason.end(), [](unsigned char letter) { return letter < 32 || letter == '|'; }, ' ');
  return reason.substr(0, longest_reason);
}

std::string state_of(const SlurmFolder& folder, const std::string& node) {
  for (const auto& row : rows_of(folder, "")) {
    if (row.name == node) return row.state;
  }
  return "";
}

// slurmctld may be starting anew, or busy.
void insist(const std::function<void()>& ask_it) {
  constexpr int tries = 60;
  for (int i = 1; i < tries; ++i) {
    try {
      return ask_it();
    } catch (const Error&) {
      ::poll(nullptr, 0, look_pause_ms);
    }
  }
  ask_it();
}

void end_rest(const SlurmFolder& folder, const std::string& node) {
  const std::string now = ask(folder, {"scontrol", "--oneliner", "show", "node", node});
  if (now.find(our_mark) != std::string::npos) update_node(folder, node, {"state=power_down_force"});
  fs::remove(folder.rest_file(node));
}

// The node counts as unusable for a while; who looks sees why.
void rest(const SlurmFolder& folder, const ScaledNodes& owner, const std::string& node, const std::string& problem) {
  const std::int64_t rest_ms = std::int64_t{owner.provider.retry_after_s} * 1000;
  write_file_durably(folder.rest_file(node), std::to_string(now_ms() + rest_ms));
  insist([&] { update_node(folder, node, {"state=down", "reason=" + reason_of(problem)}); });
  keep_least(folder, owner.compute);
  ::poll(nullptr, 0, static_cast<int>(rest_ms));
  insist([&] { end_rest(folder, node); });
  keep_least(folder, owner.compute);
}

void make(const SlurmFolder& folder, const ScaledNodes& owner, const std::string& node) {
  Machine machine(folder, owner, node);
  const std::string problem = machine.create();
  if (problem.empty()) return;
  machine.remove();
  rest(folder, owner, node, "its machine could not be made: " + problem);
}

void unmake(const SlurmFolder& folder, const ScaledNodes& owner, const std::string& node, const std::string& why) {
  const std::string problem = Machine(folder, owner, node).remove();
  if (problem.empty()) {
    if (!why.empty()) rest(folder, owner, node, why);
    return;
  }
  std::string state;
  insist([&] { state = state_of(folder, node); });
  const bool is_wanted_again = why.empty() && state != "off" && state != "leaving";
  if (!is_wanted_again) rest(folder, owner, node, "its machine could not be removed: " + problem);
}

// A run's nodes that are processes of this machine.
void power_here(const SlurmFolder& folder, const ScaledNodes& owner, std::string_view verb, const std::string& node,
                const std::string& too_late) {
  const ClusterFolder box(folder.root());
  std::string problem = too_late;
  if (verb == "resume") {
    const auto failures = start_nodes(box, node);
    if (!failures.empty()) problem = failures.front();
  } else {
    stop_nodes(box, node);
  }
  if (!problem.empty()) leave_behind(folder, node, [&] { rest(folder, owner, node, problem); });
}

std::int64_t rests_until_ms(const SlurmFolder& folder, const std::string& node) {
  const std::string text = read_file_if_exists(folder.rest_file(node)).value_or("");
  std::int64_t until = 0;
  std::from_chars(text.data(), text.data() + text.size(), until);
  return until;
}

void take_up_node(const SlurmFolder& folder, const ScaledNodes& owner, const std::string& node,
                  const std::string& state) {
  if (fs::exists(folder.rest_file(node)) && now_ms() >= rests_until_ms(folder, node)) end_rest(folder, node);
  const bool is_left = state == "off" && !owner.provider.is_local && fs::exists(folder.made_file(node));
  if (is_left) unmake(folder, owner, node, "");
}

void switch_on(const SlurmFolder& folder, const std::string& compute) {
  const std::int64_t deadline = monotonic_ms() + longest_way_out_ms;
  while (monotonic_ms() < deadline) {
    const auto all = autoscale::read_all(folder);
    const ScaledNodes* const nodes = autoscale::named(all, compute);
    if (nodes == nullptr || nodes->stopped) return;
    int on = 0;
    bool on_their_way_out = false;
    std::vector<std::string> off;
    for (const auto& row : rows_of(folder, compute)) {
      if (row.state == "off") off.push_back(row.name);
      on_their_way_out = on_their_way_out || row.state == "leaving";
      on += row.state == "idle" || row.state == "running" || row.state == "preparing" ? 1 : 0;
    }
    for (std::size_t i = 0; on < nodes->least && i < off.size(); ++i, ++on) {
      update_node(folder, off[i], {"state=power_up"});
    }
    if (on >= nodes->least || !on_their_way_out) return;
    ::poll(nullptr, 0, look_pause_ms);
  }
}

}  // namespace

void power(const SlurmFolder& folder, std::string_view verb, const std::string& node_list) {
  const auto& verbs = autoscale::program_names;
  if (std::find(std::begin(verbs), std::end(verbs), verb) == std::end(verbs))
    throw bad_input("'{}': it must be {}", verb, fmt::join(verbs, ", "));
  fs::create_directories(folder.workers());
  if (::access(folder.workers().c_str(), W_OK) != 0)
    throw failure("{} can't be written by SlurmUser (docs/slurm.md)", folder.workers().string());
  std::vector<fs::path> damaged;
  const auto all = autoscale::read_all(folder, &damaged);
  for (const std::string& node : expand_host_list(node_list)) {
    const ScaledNodes* const owner = autoscale::owner_of(all, node);
    if (owner == nullptr) continue;
    const std::string too_late =
        verb == "resume-failed" ? fmt::format("it did not report to Slurm within {} s", owner->provider.timeout_s) : "";
    if (owner->provider.is_local) {
      power_here(folder, *owner, verb, node, too_late);
    } else {
      leave_behind(folder, node, [&] {
        if (verb == "resume") return make(folder, *owner, node);
        unmake(folder, *owner, node, too_late);
      });
    }
  }
  take_up(folder);
  if (!damaged.empty()) throw failure("{} is damaged: its compute's nodes were left alone", damaged.front().string());
}

void take_up(const SlurmFolder& folder) {
  bool something = false;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.workers(), ignored)) {
    something = something || entry.path().extension() == ".made" || entry.path().extension() == ".rest";
  }
  if (!something) return;
  leave_behind(folder, "taking-up", [&folder] {
    const auto all = autoscale::read_all(folder);
    for (const auto& row : rows_of(folder, "")) {
      const ScaledNodes* const owner = autoscale::owner_of(all, row.name);
      if (owner != nullptr && !is_worked_on(folder, row.name)) take_up_node(folder, *owner, row.name, row.state);
    }
  });
}

void keep_least(const SlurmFolder& folder, const std::string& compute) {
  leave_behind(folder, compute, [&] { insist([&] { switch_on(folder, compute); }); });
}

void stop_workers(const SlurmFolder& folder) {
  end_workers(folder);
  std::vector<fs::path> damaged;
  std::vector<std::string> left;
  for (const ScaledNodes& each : autoscale::read_all(folder, &damaged)) {
    if (each.provider.is_local || each.shares()) continue;
    for (const std::string& node : each.names()) {
      const std::string problem = Machine(folder, each, node).remove();
      if (!problem.empty()) left.push_back(fmt::format("{}: {}", node, problem));
    }
  }
  if (left.empty()) return;
  throw failure(
      "machines that were made for this cluster could not be removed:\n{}\nremove them, and their files {}, "
      "then try again",
      fmt::join(left, "\n"), (folder.workers() / "<node>.made").string());
}

}  // namespace lockstep::cluster
