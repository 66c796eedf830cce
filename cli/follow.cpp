#include "cli/follow.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "api/ranks_of_run.hpp"
#include "cli/job_view.hpp"
#include "cli/log_tail.hpp"
#include "cli/progress_text.hpp"
#include "cli/screen.hpp"
#include "cli/state_lines.hpp"
#include "cli/summary.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/trace.hpp"
#include "history/sink/journal.hpp"
#include "launcher/supervise/supervisor.hpp"

namespace lockstep::cli {

namespace {

constexpr std::int64_t store_interval_ms = 100;  // between looks at the run's state
// Between looks at the logs. Not inotify: closing its descriptor waits 15 ms for the kernel, a quarter of a short run.
constexpr std::int64_t log_interval_ms = 30;
constexpr std::int64_t sweep_interval_ms = 2000;  // between looks for a supervisor that died
constexpr std::int64_t plain_progress_ms = 5000;  // between progress lines in a pipe
constexpr std::int64_t redraw_ms = 100;           // between drawings of the live line
constexpr int archive_patience_ms = 5000;         // for the supervisor's last act, after the run's end

class Follower {
 public:
  Follower(const Workspace& workspace, std::string run_id, int ended, InterruptWatch& interrupts,
           const FollowOptions& options)
      : workspace_(workspace),
        folder_(workspace.run(run_id)),
        run_id_(std::move(run_id)),
        ended_(ended),
        interrupts_(interrupts),
        options_(options),
        ranks_(api::shown_ranks(folder_, options.rank)),
        screen_(options.out, ranks_.size() > 1),
        journal_(folder_.journal(0)),
        preparing_(folder_.preparing_file()),
        states_(folder_) {
    for (const int rank : ranks_) tails_.emplace(rank, LogTail(folder_.rank_log(rank)));
  }

  Followed watch() {
    // The first look at the store waits a little: a short run is over before it, and starts the sooner for it.
    next_store_ms_ = monotonic_ms() + (ended_ >= 0 ? store_interval_ms : 0);
    for (;;) {
      const std::int64_t now = monotonic_ms();
      const bool over = look_at_run(now);
      if (handle_interrupts()) return {store().get_run(run_id_), true};
      if (over) {
        show_logs(now, true);
        trace("logs shown");
        see_supervisor_off();
        finish();
        return {run_, canceled_};
      }
      const bool more = show_logs(now, false);
      show_progress(now);
      screen_.flush();
      wait(more ? 0 : log_interval_ms);
    }
  }

 private:
  history::Store& store() {
    if (!store_) store_ = history::open_sqlite_store(workspace_.store_file());
    return *store_;
  }

  // True when the run has ended. What has to be seen before the logs is said here.
  bool look_at_run(std::int64_t now) {
    if (now < next_store_ms_ && !supervisor_gone_) return false;
    if (supervisor_gone_ || now >= next_sweep_ms_) {
      next_sweep_ms_ = now + sweep_interval_ms;
      const bool sweep = supervisor_gone_ || run_seen_;  // a fresh run's supervisor is surely alive
      if (sweep && !history::is_terminal(store().get_run(run_id_).state)) {
        supervise::close_abandoned_runs(workspace_, store());
      }
    }
    next_store_ms_ = now + store_interval_ms;
    supervisor_gone_ = false;  // looked at; from now on by the clock
    run_ = store().get_run(run_id_);
    run_seen_ = true;
    if (!options_.quiet) {
      const bool prepares = run_.state == history::RunState::preparing;
      if (!prepares) say_what_is_prepared(now);
      for (const auto& line : states_.new_lines(store().state_history(run_id_), seen_logs_)) screen_.say(line);
      if (prepares) say_what_is_prepared(now);
      if (run_.state == history::RunState::queued) {
        if (const auto line = states_.queue_line(now)) screen_.say(*line);
      }
    }
    return history::is_terminal(run_.state);
  }

  void say_what_is_prepared(std::int64_t now) {
    constexpr std::size_t at_once = 16 * 1024;
    std::istringstream lines(preparing_.read_new(now, false, at_once));
    for (std::string line; std::getline(lines, line);) screen_.say(printable(line));
  }

  // True when there was something, so that there may be more.
  bool show_logs(std::int64_t now, bool all) {
    bool any = false;
    bool more = true;
    while (more) {
      more = false;
      for (auto& [rank, tail] : tails_) {
        const std::string bytes = tail.read_new(now, all);
        if (bytes.empty()) continue;
        screen_.log(rank, bytes);
        seen_logs_ = any = more = true;
      }
      if (more) screen_.flush();
      more = more && all;
    }
    return any;
  }

  void show_progress(std::int64_t now) {
    if (options_.quiet || options_.rank || now < next_drawing_ms_) return;
    next_drawing_ms_ = now + redraw_ms;
    for (const auto& entry : journal_.read_new()) {
      if (entry.progress) progress_ = entry.progress;
    }
    if (screen_.terminal().is_terminal) {
      screen_.follow_window();
      screen_.live(progress_ ? progress_line(*progress_, screen_.terminal())
                             : states_.waiting_line(run_, now_ms(), screen_.terminal()));
    } else if (progress_ && now >= next_plain_ms_ && progress_->step != last_plain_step_) {
      next_plain_ms_ = now + plain_progress_ms;
      last_plain_step_ = progress_->step;
      screen_.say(progress_words(*progress_));
    }
  }

  // True when we detach.
  bool handle_interrupts() {
    const int count = interrupts_.count();
    if (count == 0) return false;
    if (options_.cancel && !canceled_) {
      canceled_ = true;
      screen_.say(
          fmt::format("Ctrl-C: canceling {}; its ranks are asked to save and stop. Ctrl-C again: return at once, "
                      "its supervisor goes on stopping it",
                      run_id_));
      screen_.flush();
      options_.cancel();
    }
    if (options_.cancel && count < 2) return false;
    screen_.live("");
    screen_.say(fmt::format("Ctrl-C: {} goes on {}; to follow it again: lockstep job stream {}", run_id_,
                            canceled_ ? "stopping in the background" : "in the background", run_id_));
    screen_.flush();
    return true;
  }

  // It writes the run's archive when the store has the end. Who started it may remove or copy the folder when we
  // return.
  void see_supervisor_off() const {
    pollfd ended{ended_, POLLIN, 0};  // -1 is passed over
    if (ended_ >= 0) ::poll(&ended, 1, archive_patience_ms);
  }

  void finish() {
    screen_.live("");
    if (!options_.quiet) {
      screen_.follow_window();
      SummaryOptions summary;
      summary.show_failed_log = ranks_.size() > 1 || !run_.outcome.first_failed_rank;  // else they were just shown
      screen_.say("");
      screen_.say(
          summary_text(read_details(store(), workspace_, run_id_), store(), workspace_, summary, screen_.terminal()));
    }
    screen_.flush();
  }

  void wait(std::int64_t at_most_ms) {
    std::array<pollfd, 2> fds = {{{interrupts_.fd(), POLLIN, 0}, {ended_, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), static_cast<int>(at_most_ms)) <= 0 || fds[1].revents == 0) return;
    trace("supervisor gone");
    supervisor_gone_ = true;
    ended_ = -1;
  }

  Workspace workspace_;
  RunFolder folder_;
  std::string run_id_;
  int ended_;
  InterruptWatch& interrupts_;
  FollowOptions options_;
  std::vector<int> ranks_;
  Screen screen_;
  history::JournalReader journal_;
  LogTail preparing_;
  StateLines states_;
  std::map<int, LogTail> tails_;
  std::unique_ptr<history::Store> store_;
  history::Run run_;
  std::optional<history::Progress> progress_;
  bool run_seen_ = false;
  bool seen_logs_ = false;
  bool supervisor_gone_ = false;
  bool canceled_ = false;
  std::int64_t next_store_ms_ = 0;
  std::int64_t next_sweep_ms_ = 0;
  std::int64_t next_drawing_ms_ = 0;
  std::int64_t next_plain_ms_ = 0;
  std::int64_t last_plain_step_ = -1;
};

}  // namespace

Followed follow(const Workspace& workspace, const std::string& run_id, int ended, InterruptWatch& interrupts,
                const FollowOptions& options) {
  return Follower(workspace, run_id, ended, interrupts, options).watch();
}

int exit_code_of(const Followed& followed) {
  if (followed.interrupted) return static_cast<int>(ExitCode::interrupted);
  if (followed.run.state == history::RunState::completed) return static_cast<int>(ExitCode::done);
  const int stopped_early = static_cast<int>(ExitCode::stopped_early);
  const bool resumable =
      followed.run.state == history::RunState::canceled && followed.run.outcome.exit_code == stopped_early;
  return resumable ? stopped_early : static_cast<int>(ExitCode::failed);
}

}  // namespace lockstep::cli
