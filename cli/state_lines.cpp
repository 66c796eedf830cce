#include "cli/state_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/clock.hpp"
#include "common/process.hpp"
#include "common/run_folder.hpp"
#include "launcher/compute/local.hpp"
#include "launcher/supervise/ledger.hpp"

namespace lockstep::cli {

using history::RunState;

std::vector<std::string> StateLines::new_lines(std::span<const history::StateChange> changes, bool seen_logs) {
  std::vector<std::string> lines;
  for (; said_ < changes.size(); ++said_) {
    const auto& change = changes[said_];
    since_ms_ = change.timestamp_ms;
    if (history::is_terminal(change.state) || change.state == RunState::not_started) continue;
    const bool told_elsewhere =
        change.state == RunState::queued || (seen_logs && change.state == RunState::running);  // queued: queue_line()
    const bool newest = said_ + 1 == changes.size();
    if (change.reason.empty() && newest && !told_elsewhere) lines.emplace_back(history::name_of(change.state));
    if (!change.reason.empty()) {
      lines.push_back(fmt::format("{}: {}", history::name_of(change.state), printable(change.reason)));
    }
  }
  return lines;
}

static std::string slots_text(int slots) { return fmt::format("{} {}", slots, slots == 1 ? "slot" : "slots"); }

static std::string before_it(std::size_t waiting) {
  if (waiting == 0) return "it is the next";
  return fmt::format("{} {} before it", waiting, waiting == 1 ? "run waits" : "runs wait");
}

static std::string queue_for_hosts(std::span<const supervise::LedgerEntry> entries,
                                   const supervise::LedgerEntry& ours) {
  std::size_t waiting = 0;
  std::size_t free = ours.hosts.size();
  std::string taken;
  for (const auto& each : entries) {
    const bool keeps_hosts = !supervise::waits_for_cores(entries, each);
    if (!each.running && each.ticket < ours.ticket && may_meet(each, ours) && keeps_hosts) ++waiting;
    if (!each.running) continue;
    for (const auto& host : claimed(each)) {
      if (std::find(ours.hosts.begin(), ours.hosts.end(), host) == ours.hosts.end()) continue;
      --free;
      taken += fmt::format("{}{} by {}", taken.empty() ? "" : ", ", host, each.run_id);
    }
  }
  return fmt::format("{}; it needs {} {}, {} of {} are free{}{}", before_it(waiting), ours.nodes,
                     ours.nodes == 1 ? "node" : "nodes", free, ours.hosts.size(),
                     taken.empty() ? "" : "; taken: ", taken);
}

std::string queue_text(std::span<const supervise::LedgerEntry> entries, const std::string& run_id, int machine_slots) {
  const auto ours =
      std::find_if(entries.begin(), entries.end(), [&](const auto& each) { return each.run_id == run_id; });
  if (ours == entries.end() || ours->running) return "";
  if (std::string cores = supervise::core_queue_text(entries, *ours); !cores.empty()) return cores;
  if (!ours->hosts.empty()) return queue_for_hosts(entries, *ours);
  if (!takes_slots(*ours)) return "";
  std::size_t waiting = 0;
  int taken = 0;
  std::string running;
  for (const auto& each : entries) {
    if (!takes_slots(each)) continue;
    if (!each.running && each.ticket < ours->ticket) ++waiting;
    if (!each.running) continue;
    taken += each.slots;
    running += fmt::format("{}{} ({})", running.empty() ? "" : ", ", each.run_id, slots_text(each.slots));
  }
  return fmt::format("{}; it needs {}, {} of {} are taken{}{}", before_it(waiting), slots_text(ours->slots), taken,
                     machine_slots, running.empty() ? "" : " by ", running);
}

std::optional<std::string> StateLines::queue_line(std::int64_t now_ms) {
  if (now_ms < next_look_ms_) return std::nullopt;
  next_look_ms_ = now_ms + 1000;
  const int machine_slots = compute::this_machine().slots;
  const auto entries = supervise::Ledger(runtime_folder(), machine_slots).entries();
  std::string text = printable(last_line(read_file_if_exists(queue_file_, 4096).value_or("")));
  if (text.empty()) text = queue_text(entries, run_id_, machine_slots);
  if (text.empty() || text == queue_) return std::nullopt;
  queue_ = std::move(text);
  return fmt::format("Queued: {}", queue_);
}

std::string StateLines::waiting_line(const history::Run& run, std::int64_t now_ms, const Terminal& terminal) const {
  if (run.state != RunState::queued && run.state != RunState::preparing) return "";
  if (since_ms_ == 0 || now_ms - since_ms_ < 1000) return "";
  std::string line =
      fmt::format("{} for {}", history::name_of(run.state), duration_text((now_ms - since_ms_) / 1000 * 1000));
  if (run.state == RunState::queued && !queue_.empty()) line += fmt::format(": {}", queue_);
  return fit(line, terminal.width - 1, terminal.utf8);
}

}  // namespace lockstep::cli
