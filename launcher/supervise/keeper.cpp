#include "launcher/supervise/keeper.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/fault.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/processes/rank_watch.hpp"
#include "launcher/processes/stop.hpp"
#include "launcher/supervise/diagnosis.hpp"
#include "launcher/supervise/say.hpp"
#include "launcher/supervise/signals.hpp"
#include "launcher/supervise/stages.hpp"

namespace lockstep::supervise {

using history::RunState;

namespace {
constexpr int keeper_tick_ms = 50;
constexpr std::int64_t write_limit_ms = 30'000;  // how long a full disk may hold up state.json
constexpr const char* orphaned_reason = "the supervisor was killed";

class Keeper {
 public:
  Keeper(const RunFolder& folder, int ranks, const Limits& limits, Channel channel)
      : folder_(folder),
        ranks_(ranks),
        kill_after_ms_(limits.kill_after_s * 1000),
        may_begin_again_(limits.max_restarts > 0 || limits.preemptible),
        is_elsewhere_(limits.preemptible),
        channel_(std::move(channel)),
        stages_({limits.stop_grace_s * 1000, kill_after_ms_},
                {[this] { ask_ranks(); }, [this] { signal_program(SIGTERM); }, [this] { kill_run(); }}) {}

  void live() {
    while (!over_) {
      std::vector<pollfd> waiting{{channel_.closed() ? -1 : channel_.fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
      if (started()) ranks_seen_->add_to(waiting);
      wait_readable(std::move(waiting), started() && !waits_ ? keeper_tick_ms : -1);
      if (started()) ranks_seen_->update();  // before we wait for children: a rank may be one
      signals_.read();                       // SIGCHLD wakes us; nobody ends a keeper with TERM or INT
      reap();
      hear();
      if (waits_) continue;
      if (program_ended_) {
        end_of_program();
      } else if (started()) {
        stages_.advance(monotonic_ms());
        if (unkillable_) end_of_unkillable();
      }
    }
  }

 private:
  bool started() const { return program_.pid > 0; }

  void hear() {
    channel_.receive();
    Message message;
    while (!over_ && channel_.next(message)) {
      if (message.word == "start") start(program_of(message));
      if (message.word == "stop") stop(stop_of(message));
      if (message.word == "dismiss") over_ = true;
    }
    if (channel_.closed() && waits_) over_ = true;  // the end that was written stands
    if (channel_.closed() && !over_ && !orphaned_) {
      orphaned_ = true;
      say("keeper", "the supervisor is gone; stopping the run");
      fault_point("keeper.orphaned");
      stop({RunState::failed, started() ? fmt::format("{}; the run was stopped", orphaned_reason)
                                        : fmt::format("{} before the program started", orphaned_reason)});
    }
  }

  void start(const Program& wanted) {
    if (std::exchange(waits_, false)) begin_anew();
    fault_point("keeper.before_program");
    try {
      const Fd log = open_file(folder_.system_log(), O_WRONLY | O_CREAT | O_APPEND);
      log_before_ = fs::file_size(folder_.system_log());
      ranks_seen_ = std::make_unique<processes::RankWatch>(folder_);
      program_ =
          start_program({wanted.argv, wanted.environment, wanted.working_folder, -1, log.get(), log.get(), true});
    } catch (const Error& error) {
      Ending ending = ended(RunState::failed, fmt::format("the run could not be started: {}", error.what()));
      ending.outcome.exit_code = error.code() == ExitCode::not_found ? 127 : 126;
      end(ending);
      return;
    }
    fault_point("keeper.after_program");
    channel_.send({"started", {std::to_string(program_.pid), std::to_string(program_.start_time)}});
    fault_point("keeper.after_started");
  }

  void begin_anew() {
    program_ = {};
    program_ended_ = false;
    status_ = 0;
    unkillable_ = false;
    stop_.reset();
    stages_.reset();
  }

  void stop(StopRequest request) {
    if (waits_) {  // it has ended, and will not begin again
      over_ = true;
      return;
    }
    reap();
    if (program_ended_) return;  // it ended by itself before
    if (!stop_) stop_ = std::move(request);
    if (!started()) {
      end(ended(stop_->state, stop_->reason));
      return;
    }
    bool ranks_save = false;
    for (int rank = 0; rank < ranks_; ++rank) {
      const auto saver = entrypoint::read_stoppable(folder_, rank);
      const auto place = entrypoint::read_registration(folder_, rank);
      const bool elsewhere = place && !entrypoint::is_here(*place);  // then its host's agent asks it
      ranks_save = ranks_save || (saver && (elsewhere || is_alive(*saver)));
    }
    stages_.begin(monotonic_ms(), ranks_save);
  }

  void ask_ranks() {
    say("keeper", "asking the ranks to stop");
    if (entrypoint::read_registrations(folder_).empty()) {
      signal_program(SIGTERM);
    } else {
      processes::ask_ranks_to_stop(folder_);
    }
    fault_point("keeper.after_term");
  }

  void signal_program(int signal) {
    if (started() && !program_ended_)
      ::kill(program_.pid, signal);  // our child, not yet waited for: the pid is its own
  }

  // Everything of the run descends from us while we live: we are its subreaper, so no session is needed to find it.
  void kill_run() {
    fault_point("keeper.before_kill");
    unkillable_ = !processes::kill_all(folder_, 0, ::getpid(), processes::kill_limit_ms, program_.pid);
    if (unkillable_) say("keeper", "some processes of the run can't be killed (waiting for a device?)");
  }

  // Waits for every child that is there to be waited for: the program, and what its death or a double fork left us.
  bool reap() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
      if (pid != program_.pid) continue;
      program_ended_ = true;
      status_ = status;
    }
    return pid < 0;  // no child is left
  }

  void end_of_program() {
    fault_point("keeper.program_ended");
    sweep();
    fault_point("keeper.after_sweep");
    std::optional<Diagnosis> diagnosis;
    if (!stop_ && is_failure(status_)) diagnosis = find_cause();
    end(judge(status_, stop_, diagnosis));
  }

  // Waiting for it would never end; what is left of the run is process 1's then.
  void end_of_unkillable() {
    const StopRequest request = stop_.value_or(StopRequest());
    Ending ending = ended(request.state, request.reason + "; some of its processes could not be killed");
    ending.outcome.signal = SIGKILL;
    end(ending);
  }

  // A program that is the rank itself is our child: its status is known for certain.
  Diagnosis find_cause() {
    ranks_seen_->update();
    auto ends = ranks_seen_->ends();
    const auto only = entrypoint::read_registration(folder_, 0);
    if (only && only->process == program_) ends = {processes::rank_end(0, status_, now_ms())};
    std::string log = read_file(folder_.system_log());
    log.erase(0, std::min<std::size_t>(log.size(), log_before_));
    Diagnosis diagnosis = diagnose(folder_, ends, status_, log);
    say("keeper", diagnosis.text());
    return diagnosis;
  }

  // What outlived the program gets a TERM and a moment, then KILL. After a program that ended well and left no child
  // there is nothing to look for: whoever daemonised would be our child.
  void sweep() {
    if (reap() && WIFEXITED(status_) && WEXITSTATUS(status_) == 0) return;
    for (const ProcessId& each : processes::processes_of(folder_, 0, ::getpid())) send_signal(each, SIGTERM);
    const std::int64_t deadline = monotonic_ms() + kill_after_ms_;
    while (!reap() && monotonic_ms() < deadline) {
      wait_readable({signals_.fd()}, keeper_tick_ms);
      signals_.read();
    }
    if (!reap()) say("keeper", "killing what is left of the run");
    kill_run();
    reap();
  }

  // After a failure, or when its ranks have saved and left, the supervisor may want the program to begin again; on
  // other machines after a good end, too: a node may be lost before all that was written there has come.
  void end(const Ending& ending) {
    const bool is_done = ending.state == RunState::completed && !is_elsewhere_;
    const bool unwanted = !is_done && !(stop_ && stop_->state == RunState::canceled);
    waits_ = may_begin_again_ && unwanted && !orphaned_;
    over_ = !waits_;
    const std::int64_t deadline = monotonic_ms() + write_limit_ms;
    while (true) {
      try {
        write_ending(folder_, ending);
        break;
      } catch (const Error& error) {
        say("keeper", error.what());
        if (monotonic_ms() >= deadline) break;  // the supervisor gets it all the same
        wait_readable({}, 500);
      }
    }
    fault_point("keeper.after_state_file");
    channel_.send({"ended", {to_text(ending)}});
    fault_point("keeper.after_ended");
  }

  RunFolder folder_;
  int ranks_;
  std::int64_t kill_after_ms_;
  bool may_begin_again_;
  bool is_elsewhere_;
  Channel channel_;
  SignalFd signals_;
  Stages stages_;
  std::unique_ptr<processes::RankWatch> ranks_seen_;  // from the start of the program on
  std::uintmax_t log_before_ = 0;                     // length of system.log then: what follows is the program's
  ProcessId program_;                                 // pid 0: not started
  bool program_ended_ = false;
  int status_ = 0;  // then: as waitpid gives it
  std::optional<StopRequest> stop_;
  bool orphaned_ = false;
  bool unkillable_ = false;
  bool waits_ = false;  // the program has ended, the next word decides
  bool over_ = false;
};
}  // namespace

void keep(const RunFolder& folder, int ranks, const Limits& limits, Channel channel) {
  ::prctl(PR_SET_NAME, "lockstep-keeper");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::setsid();
  fault_point("keeper.begin");
  Keeper(folder, ranks, limits, std::move(channel)).live();
}

}  // namespace lockstep::supervise
