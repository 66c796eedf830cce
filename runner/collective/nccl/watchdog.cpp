#include "runner/collective/nccl/watchdog.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "runner/agreement.hpp"
#include "runner/collective/nccl/ras_status.hpp"

namespace lockstep::runner {

// Whoever started the job usually ends it when a rank dies, and knows better why.
static constexpr double patience_with_the_launcher_s = 5;
// NCCL's RAS itself waits 5 s for processes that don't answer it.
static constexpr milliseconds patience_with_ras = std::chrono::seconds(8);
// For this process to end by MPI's hand, that included.
static constexpr milliseconds patience_with_mpi = std::chrono::seconds(20);

static double now_s() { return static_cast<double>(monotonic_ms()) / 1000; }

static void say(const std::string& message) {
  std::fflush(stdout);
  fmt::print(stderr, "lockstep-train: {}\n", message);
}

Watchdog::Watchdog(Collective& ranks, const NcclOptions& options, Eyes eyes)
    : ranks_(ranks),
      options_(options),
      eyes_(std::move(eyes)),
      board_(ranks),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw system_failure("eventfd");
  thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
  Progress mine = progress();
  mine.state = RankState::leaving;
  board_.publish(mine);
}

std::int64_t Watchdog::start(Operation operation, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  started_.push_back({operation, static_cast<std::int64_t>(bytes)});
  return ++last_;
}

Progress Watchdog::progress() {
  const std::lock_guard lock(mutex_);
  Progress mine;
  mine.started = last_;
  mine.finished = eyes_.finished(last_);
  mine.reached = eyes_.reached(last_);
  const auto under_way = static_cast<std::size_t>(mine.started - mine.finished);
  while (started_.size() > under_way) started_.pop_front();
  if (!started_.empty()) {
    mine.operation = started_.front().operation;
    mine.bytes = started_.front().bytes;
  }
  return mine;
}

void Watchdog::watch() {
  const auto tick = milliseconds(std::clamp(static_cast<int>(options_.warn_s * 100), 5, 250));
  try {
    for (bool ended = false; !ended && !wait_readable(wake_.get(), milliseconds(0));) {
      board_.publish(progress());
      board_.read(tick, wake_.get());
      ended = look_at_nccl() || look_for_the_gone() || (ranks_.rank() == 0 ? look_at_all_ranks() : look_at_rank_0());
    }
  } catch (const std::exception& error) {
    end_job(fmt::format("{}: the watchdog of the collectives failed: {}", rank_and_host(ranks_), error.what()));
  }
}

bool Watchdog::look_at_nccl() {
  const auto error = eyes_.error();
  if (!error) return false;
  end_job(fmt::format("{}: NCCL failed in collective {}: {}", rank_and_host(ranks_), progress().finished + 1, *error));
  return true;
}

bool Watchdog::look_for_the_gone() {
  const auto ranks = board_.ranks();
  const auto gone = std::find_if(ranks.begin(), ranks.end(), [](const RankRecord& rank) { return rank.gone; });
  if (gone == ranks.end()) return false;
  if (!gone_since_s_) gone_since_s_ = now_s();
  if (now_s() - *gone_since_s_ < std::min(patience_with_the_launcher_s, options_.timeout_s / 2)) return false;
  const std::string host = gone->host.empty() ? "" : fmt::format(" on {}", gone->host);
  end_job(fmt::format("{}: rank {}{} is gone without a word (killed?); it had started at least {} collectives",
                      rank_and_host(ranks_), gone - ranks.begin(), host, gone->progress.started));
  return true;
}

bool Watchdog::look_at_all_ranks() {
  const auto late = late_.look(board_.ranks(), now_s());
  if (!late) return false;
  const std::string who = who_is_missing(*late, board_.ranks());
  if (late->for_s >= options_.timeout_s) {
    end_job(fmt::format("{} is not done after {} s (--collective-timeout): {}. So the job ends. Look for an error or a "
                        "long pause (reading data, saving) in the logs of these ranks; if all have reached it, for "
                        "trouble of a GPU or the network (NCCL_DEBUG=INFO says more)",
                        name_of(*late), options_.timeout_s, who),
            true);
    return true;
  }
  if (late->for_s >= options_.warn_s && late->number != warned_of_) {
    warned_of_ = late->number;
    say(fmt::format("{} is not done after {} s (--collective-warn): {}", name_of(*late), options_.warn_s, who));
  }
  return false;
}

// Rank 0 ends the job when it should; this is for a rank 0 that can't.
bool Watchdog::look_at_rank_0() {
  const double patience_s = 1 + options_.timeout_s / 10;
  const auto own = board_.ranks().subspan(static_cast<std::size_t>(ranks_.rank()), 1);
  const auto late = late_.look(own, now_s());
  if (!late || late->for_s < options_.timeout_s + patience_s) return false;
  end_job(
      fmt::format("{}: {} is not done after {:.0f} s, and rank 0, which should have ended the job, has not: it "
                  "stands still or can't be reached",
                  rank_and_host(ranks_), name_of(*late), late->for_s));
  return true;
}

// The communicator is not aborted first: its kernels would return, and the training loop go on with numbers that are no
// sums until the process has ended.
void Watchdog::end_job(const std::string& message, bool ask_nccl) {
  say(message);
  std::thread([] {
    std::this_thread::sleep_for(patience_with_mpi);
    std::_Exit(static_cast<int>(ExitCode::failed));
  }).detach();
  const auto status = ask_nccl ? ras_status(ras_address(), patience_with_ras) : std::nullopt;
  if (status) say("what NCCL knows of the job:\n" + *status);
  ranks_.abort(static_cast<int>(ExitCode::failed));
}

}  // namespace lockstep::runner
