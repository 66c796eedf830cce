#include "history/sink/report/sender.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/clock.hpp"

namespace lockstep::history::report {

namespace {
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

// Signals go to the training's thread: its handlers belong there. And the training goes first on a busy core.
class QuietStart {
 public:
  QuietStart() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~QuietStart() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  QuietStart(const QuietStart&) = delete;
  QuietStart& operator=(const QuietStart&) = delete;

 private:
  sigset_t before_ = {};
};

void lower_priority_of_this_thread() {
  constexpr int nice = 10;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice);  // Linux: of the thread alone
}
}  // namespace

Sender::Sender(Assignment assignment)
    : assignment_(std::move(assignment)),
      delivery_(assignment_.folder, assignment_.number, assignment_.report,
                TrackingServer(assignment_.server, [this] { return look_for_interruption(), time_is_up(); }),
                assignment_.say),
      backoff_(assignment_.times.first_backoff_ms, assignment_.times.longest_backoff_ms,
               static_cast<unsigned>(now_ms() ^ ::getpid())),
      give_up_at_ms_(never) {
  const QuietStart quiet;
  thread_ = std::thread([this] { work(); });
}

Sender::~Sender() {
  if (!thread_.joinable()) return;
  give_up_at_ms_ = 0;
  wake_.notify_all();
  thread_.join();
}

bool Sender::finish(const std::string& state, std::int64_t limit_ms, bool patient) {
  if (!thread_.joinable()) return complete_;
  end_state_ = state;
  const Report& before = assignment_.report;
  end_ms_ = before.state == state && before.ended_ms > 0 ? before.ended_ms : now_ms();
  patience_ms_ = patient ? limit_ms : 0;
  give_up_at_ms_ = std::min(give_up_at_ms_.load(), monotonic_ms() + limit_ms);
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
  note_end();  // if the thread was in a request to the last
  return complete_;
}

bool Sender::time_is_up() const { return monotonic_ms() >= give_up_at_ms_; }

void Sender::wait(std::int64_t ms) {
  constexpr std::int64_t look_every_ms = 250;
  constexpr std::int64_t longest_at_the_end_ms = 500;
  const std::int64_t started = monotonic_ms();
  const bool was_ending = ending_;
  while (true) {
    look_for_interruption();
    const std::int64_t all = ending_ || interrupted_ ? std::min(ms, longest_at_the_end_ms) : ms;
    const std::int64_t left = std::min(started + all, give_up_at_ms_.load()) - monotonic_ms();
    if (left <= 0 || ending_ != was_ending) return;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::milliseconds(std::min(left, look_every_ms)));
  }
}

void Sender::look_for_interruption() {
  if (interrupted_ || !assignment_.interrupted()) return;
  interrupted_ = true;
  give_up_at_ms_ = std::min(give_up_at_ms_.load(), monotonic_ms() + assignment_.times.interrupted_ms);
  if (!ending_) delivery_.note_end("KILLED", now_ms());
}

void Sender::note_end() {
  if (end_is_noted_ || interrupted_) return;
  end_is_noted_ = true;
  if (end_state_ != "RUNNING") delivery_.note_end(end_state_, end_ms_);
}

void Sender::work() {
  lower_priority_of_this_thread();
  try {
    while (!time_is_up()) {
      std::int64_t wait_ms = assignment_.times.poll_ms;
      try {
        if (deliver()) {
          complete_ = true;
          break;
        }
      } catch (const TryLater& reason) {
        wait_ms = time_is_up() ? 0 : later(reason);
      }
      wait(wait_ms);
    }
  } catch (const std::exception& reason) {  // GiveUp, no libcurl, a journal that can't be read
    assignment_.say(fmt::format("nothing more is reported to {}: {}", delivery_.shown_uri(), reason.what()));
    while (!ending_ && !interrupted_ && !time_is_up())
      wait(assignment_.times.poll_ms);  // a signal must still end the process
  }
  if (interrupted_) assignment_.leave();
}

// True: it was the end, and all of it arrived.
bool Sender::deliver() {
  look_for_interruption();
  const bool to_the_end = ending_ || interrupted_;  // before the journals are read: then they are read to their end
  if (ending_) note_end();
  const std::int64_t before = delivery_.acknowledged();
  const auto stop = [&] {
    look_for_interruption();
    if (ending_ && patience_ms_ > 0 && !interrupted_ && delivery_.acknowledged() > before) {
      give_up_at_ms_ = monotonic_ms() + patience_ms_;
    }
    return time_is_up() || (interrupted_ && !to_the_end);
  };
  delivery_.send_what_is_there(stop);
  backoff_.reset();
  if (std::exchange(out_of_reach_, false)) assignment_.say(fmt::format("{} answers again", delivery_.shown_uri()));
  if (!to_the_end || time_is_up()) return false;
  if (delivery_.report().state != "RUNNING") delivery_.send_end();
  return true;
}

// How long to wait. Said once for each time that the server is out of reach.
std::int64_t Sender::later(const TryLater& reason) {
  if (!std::exchange(out_of_reach_, true)) {
    assignment_.say(fmt::format(
        "{} {} ({}); the training does not wait for it, and what the journal holds is sent later",
        delivery_.shown_uri(), reason.forbidden ? "does not let us in" : "can't be reached", reason.what()));
  }
  const std::int64_t wait_ms = backoff_.next_ms(reason.retry_after_s);
  return reason.forbidden ? std::max(wait_ms, assignment_.times.forbidden_ms) : wait_ms;
}

}  // namespace lockstep::history::report
