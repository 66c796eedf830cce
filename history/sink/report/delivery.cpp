#include "history/sink/report/delivery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/error.hpp"
#include "history/store/reported_through.hpp"

namespace lockstep::history::report {

namespace {
constexpr BatchLimits limits;
constexpr std::size_t entries_at_once = 1000;

KeyValue tag_of(const Report& report, int rank, Position position) {
  return ReportedThrough{fmt::format("rank-{}", rank), report.id, position.sequence, position.item}.tag();
}

// What the run's tags say of this report's journal of `rank`.
std::optional<Position> position_on(const RunOnServer& run, const Report& report, int rank) {
  const std::string key = tag_of(report, rank, {}).key;
  const auto through = ReportedThrough::read({key, run.tags.value(key, std::string())});
  if (!through || through->report != report.id) return std::nullopt;
  return Position{through->sequence, through->item};
}
}  // namespace

Delivery::Delivery(fs::path folder, int number, Report report, TrackingServer server, Say say)
    : folder_(std::move(folder)),
      number_(number),
      report_(std::move(report)),
      server_(std::move(server)),
      say_(std::move(say)),
      most_items_(limits.all) {
  for (auto& [rank, share] : report_.journals) {
    const fs::path file = journal_file(folder_, rank);
    const Position written{next_sequence_in(file), 0};
    // A power loss may have taken the end of a journal whose values had been sent; its numbers are used again.
    share.sent = std::min(share.sent, written);
    journals_.push_back({rank, &share, JournalReader(file), {}, written});
  }
  save();
}

// The tag on the server knows as much as this file, so a disk that is full does not end the reporting.
void Delivery::save() {
  try {
    write_report(folder_, number_, report_);
  } catch (const Error& error) {
    if (!std::exchange(save_failed_, true)) say_(fmt::format("how far it is reported can't be kept: {}", error.what()));
  }
}

void Delivery::send_what_is_there(const std::function<bool()>& stop) {
  const auto ask = [&](auto call) {
    try {
      call();
    } catch (const TryLater&) {
      looked_ = false;  // what was under way may have come in
      throw;
    }
  };
  if (report_.run_id.empty()) make_run();
  if (!looked_) ask([&] { look_at_run(); });
  for (bool any = true; any && !stop();) {
    any = false;
    for (Outgoing& each : journals_) {
      ask([&] { any = send_batch(each) || any; });
    }
  }
}

void Delivery::make_run() {
  try {
    if (report_.experiment_id.empty()) {
      report_.experiment_id =
          report_.experiment_name.empty() ? "0" : server_.find_or_make_experiment(report_.experiment_name);
    }
    report_.run_id =
        server_.find_or_make_run({report_.experiment_id, report_.run_name, report_.id, report_.started_ms});
  } catch (const Refused& reason) {
    throw GiveUp(fmt::format("a run can't be made there: {}", reason.what()));
  }
  save();
}

// Says that the run is on before it looks: the server does changes one after the other, so a batch whose answer did
// not come is done by then, or never will be.
void Delivery::look_at_run() {
  RunOnServer run;
  try {
    server_.update_run(report_.run_id, "RUNNING");
    run = server_.get_run(report_.run_id);
  } catch (const Refused& reason) {
    throw GiveUp(reason.what());
  }
  if (run.deleted) throw GiveUp(fmt::format("run {} is deleted there", report_.run_id));
  report_.experiment_id = run.experiment_id;
  report_.state_is_sent = false;
  params_ = std::move(run.params);
  bool is_ahead = false;
  for (Outgoing& each : journals_) {
    const auto taken = position_on(run, report_, each.rank);
    if (taken && *taken > each.share->sent && *taken <= each.known_end) each.share->sent = *taken;
    is_ahead = is_ahead || (taken && *taken > each.known_end);
  }
  // A power loss took the end of a journal, whose numbers are used again: what comes is not what was taken.
  if (is_ahead) report_.id = new_report_id();
  save();
  looked_ = true;
  if (std::exchange(introduced_, true)) return;
  say_(fmt::format("reported to {0}/#/experiments/{1}/runs/{2} (run {2})", shown_uri(), report_.experiment_id,
                   report_.run_id));
}

void Delivery::read_more(Outgoing& journal) {
  const JournalShare& share = *journal.share;
  while (!journal.entries.empty() && journal.entries.front().sequence < share.sent.sequence) {
    journal.entries.pop_front();
  }
  while (journal.entries.size() < entries_at_once) {
    auto read = journal.reader.read_new(entries_at_once);
    if (read.empty()) return;
    for (JournalEntry& entry : read) {
      const bool of_this_report = entry.sequence >= share.sent.sequence && (!share.end || entry.sequence < *share.end);
      if (of_this_report) journal.entries.push_back(std::move(entry));
    }
  }
}

// False: there was nothing to send.
bool Delivery::send_batch(Outgoing& journal) {
  read_more(journal);
  Position& sent = journal.share->sent;
  BatchLimits now = limits;
  now.all = most_items_;
  // What may be under way is sent again as it was, so that the server can tell that it is the same.
  if (journal.known_end > sent) now.end = journal.known_end;
  const Batch batch = cut_batch(journal.entries, sent, params_, now);
  if (batch.items() == 0) return std::exchange(sent, batch.end) != batch.end;
  journal.known_end = batch.end;
  try {
    server_.log_batch(report_.run_id, batch, tag_of(report_, journal.rank, batch.end));
  } catch (const Missing& reason) {
    throw GiveUp(reason.what());
  } catch (const Refused& reason) {
    refuse(journal, batch, reason);
    return true;
  }
  sent = batch.end;
  for (const auto& each : batch.params) params_.insert(each["key"].get<std::string>());
  most_items_ = std::min(2 * most_items_, limits.all);
  ++acknowledged_;
  save();
  return true;
}

// One value that is wrong must not hold up the others: halve the batch until it stands alone.
void Delivery::refuse(Outgoing& journal, const Batch& batch, const Refused& reason) {
  if (batch.items() > 1) {
    if (most_items_ == limits.all) look_at_run();  // it may be the run itself
    most_items_ = batch.items() / 2;
    return;
  }
  constexpr std::int64_t said_at_most = 5;
  const auto& only = !batch.metrics.empty()  ? batch.metrics[0]
                     : !batch.params.empty() ? batch.params[0]
                                             : batch.tags[0];
  if (++refused_ <= said_at_most) {
    say_(fmt::format("{} refuses '{}': {}", shown_uri(), only["key"].get<std::string>(), reason.what()));
  }
  journal.share->sent = batch.end;
  most_items_ = std::min(2 * most_items_, limits.all);
  save();
}

void Delivery::note_end(const std::string& state, std::int64_t ended_ms) {
  report_.state = state;
  report_.ended_ms = ended_ms;
  save();
}

void Delivery::send_end() {
  try {
    server_.update_run(report_.run_id, report_.state, report_.ended_ms);
  } catch (const Refused& reason) {
    throw GiveUp(reason.what());
  }
  report_.state_is_sent = true;
  save();
}

std::int64_t Delivery::count_unsent_metrics() {
  std::int64_t count = 0;
  for (Outgoing& each : journals_) {
    while (true) {
      read_more(each);
      if (each.entries.empty()) break;
      count += count_metrics(each.entries, each.share->sent);
      each.entries.clear();
    }
  }
  return count;
}

}  // namespace lockstep::history::report
