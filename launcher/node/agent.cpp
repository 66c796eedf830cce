#include "launcher/node/agent.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/file.hpp"
#include "launcher/machine/system_metrics.hpp"
#include "launcher/node/frames.hpp"
#include "launcher/node/mirror.hpp"
#include "launcher/node/streams.hpp"
#include "launcher/processes/mpi_leftovers.hpp"
#include "launcher/processes/rank_watch.hpp"
#include "launcher/processes/stop.hpp"

namespace lockstep::node {

namespace {
constexpr int tick_ms = 100;
constexpr std::int64_t no_room_bytes = std::int64_t{4} << 20;  // less than that free: the disk is full
constexpr std::int64_t time_to_leave_ms = 5'000;               // between TERM and KILL for what the ranks left behind

class Agent {
 public:
  explicit Agent(const AgentOptions& options)
      : options_(options),
        ranks_(options.folder),
        mirror_(options.folder, [this](const Frame& frame) { send(frame); }) {
    if (options_.sampling_interval_ms) {
      machine_.emplace(options_.folder.root());
      next_sample_ms_ = monotonic_ms() + *options_.sampling_interval_ms;
    }
  }

  int live() {
    char name[256] = "";
    ::gethostname(name, sizeof name - 1);
    write(std::string(greeting));
    send({{{"word", "hello"}, {"host", name}, {"pid", ::getpid()}, {"problem", open_doorway()}}});
    while (!over_) {
      listen(busy_ ? 0 : tick_ms);
      tell_of_ranks();
      if (monotonic_ms() - heard_ms_ > supervisor_silence_limit_ms) gone_ = true;
      if (gone_) return left_alone();
      if (finishing_) {
        finish();
      } else {
        busy_ = options_.mirror && mirror_.look(false);
      }
      sample();
      if (monotonic_ms() - spoke_ms_ >= heartbeat_ms) send({{{"word", "alive"}}});
    }
    std::error_code ignored;
    if (options_.mirror && told_done_) fs::remove_all(options_.folder.root(), ignored);  // the workspace has it all
    return 0;
  }

  // Its files stay where they are: nobody is there to take them.
  int left_alone() {
    processes::ask_ranks_to_stop(options_.folder);
    wait_for_end(options_.stop_grace_ms);
    processes::kill_all(options_.folder, 0, 0, processes::kill_limit_ms);
    return 1;
  }

 private:
  // "", or what is wrong with the port.
  std::string open_doorway() {
    if (options_.port == 0) return "";
    try {
      doorway_.emplace(options_.port, [this](const Frame& frame) { send(frame); });
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  void listen(int timeout_ms) {
    std::vector<pollfd> waiting{{STDIN_FILENO, POLLIN, 0}};
    if (doorway_) doorway_->add_to(waiting);
    ranks_.add_to(waiting);
    if (::poll(waiting.data(), waiting.size(), timeout_ms) <= 0) return;
    if (waiting[0].revents != 0) hear();
    if (doorway_) doorway_->look();
  }

  // mpirun does not always say which rank failed first.
  void tell_of_ranks() {
    ranks_.update();
    for (; told_ends_ < ranks_.ends().size(); ++told_ends_) {
      const auto& end = ranks_.ends()[told_ends_];
      Frame frame{{{"word", "ended"}, {"rank", end.rank}, {"unwatched", end.unwatched}}};
      if (end.exit_code) frame.head["exit_code"] = *end.exit_code;
      if (end.signal) frame.head["signal"] = *end.signal;
      send(frame);
      look_at_disk();
    }
  }

  // A program that can't write can't write why, either. It is looked at when a rank ends: what that one had begun to
  // write may be gone in the end.
  void look_at_disk() {
    struct statvfs disk {};
    if (::statvfs(options_.folder.root().c_str(), &disk) != 0) return;
    const auto free_bytes = static_cast<std::int64_t>(disk.f_frsize) * static_cast<std::int64_t>(disk.f_bavail);
    disk_full_ = disk_full_ || free_bytes < no_room_bytes;
  }

  void hear() {
    char buffer[1 << 14];
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0) {
      gone_ = true;
      return;
    }
    heard_ms_ = monotonic_ms();
    reader_.add({buffer, static_cast<std::size_t>(got)});
    Frame frame;
    while (reader_.next(frame)) obey(frame);
  }

  void obey(const Frame& frame) {
    const std::string word = frame.word();
    if (doorway_) doorway_->take(frame);
    if (word == "stop") processes::ask_ranks_to_stop(options_.folder);
    if (word == "save") processes::ask_ranks_to_save(options_.folder);
    if (word == "begin") write_file_atomically(options_.folder.begin_file(), "{}\n");
    if (word == "finish") finishing_ = true;
    if (word == "bye") over_ = true;
  }

  // The ranks have ended. Nothing of the run stays; then no file changes any more, and the rest is sent.
  void finish() {
    if (!clean_) clean_ = end_processes();
    if (told_done_) return;  // "bye" comes when all of it has arrived
    busy_ = options_.mirror && mirror_.look(true);
    if (busy_) return;
    send({{{"word", "done"}, {"clean", *clean_}, {"disk_full", disk_full_}}});
    told_done_ = true;
  }

  bool end_processes() {
    auto left = processes::processes_of(options_.folder, 0, 0);
    if (left.empty()) return true;
    for (const ProcessId& each : left) send_signal(each, SIGTERM);
    wait_for_end(time_to_leave_ms);
    return processes::kill_all(options_.folder, 0, 0, processes::kill_limit_ms);
  }

  void wait_for_end(std::int64_t limit_ms) {
    const std::int64_t deadline = monotonic_ms() + limit_ms;
    while (monotonic_ms() < deadline && !processes::processes_of(options_.folder, 0, 0).empty()) {
      ::poll(nullptr, 0, tick_ms);
    }
  }

  void sample() {
    if (!machine_ || finishing_ || monotonic_ms() < next_sample_ms_) return;
    next_sample_ms_ += options_.sampling_interval_ms.value_or(0);
    Frame frame{{{"word", "metrics"}, {"values", nlohmann::json::object()}}};
    for (const auto& each : machine_->sample(now_ms())) {
      frame.head["values"][each.key] = each.value;
      frame.head["time_ms"] = each.timestamp_ms;
      frame.head["step"] = each.step;
    }
    send(frame);
  }

  void send(const Frame& frame) { write(encode(frame)); }

  void write(const std::string& bytes) {
    std::string_view rest = bytes;
    std::int64_t moved_ms = monotonic_ms();
    while (!rest.empty() && !gone_) {
      const ssize_t put = ::write(STDOUT_FILENO, rest.data(), rest.size());
      if (put > 0) {
        rest.remove_prefix(static_cast<std::size_t>(put));
        moved_ms = monotonic_ms();
      } else if (put < 0 && errno == EAGAIN) {
        pollfd waiting{STDOUT_FILENO, POLLOUT, 0};
        ::poll(&waiting, 1, tick_ms);
      } else if (put < 0 && errno != EINTR) {
        gone_ = true;
      }
      if (monotonic_ms() - moved_ms > supervisor_silence_limit_ms) gone_ = true;  // a link that was cut takes nothing
    }
    spoke_ms_ = monotonic_ms();
  }

  AgentOptions options_;
  FrameReader reader_;
  processes::RankWatch ranks_;
  std::size_t told_ends_ = 0;
  Mirror mirror_;
  std::optional<Doorway> doorway_;
  std::optional<machine::SystemMetrics> machine_;
  std::int64_t next_sample_ms_ = 0;
  std::int64_t heard_ms_ = monotonic_ms();
  std::int64_t spoke_ms_ = 0;
  bool busy_ = false;  // there is more to send
  bool finishing_ = false;
  std::optional<bool> clean_;
  bool disk_full_ = false;
  bool told_done_ = false;
  bool gone_ = false;
  bool over_ = false;
};
}  // namespace

int attend_node(const AgentOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);
  for (const int each : {SIGHUP, SIGINT, SIGTERM}) ::signal(each, SIG_IGN);  // it leaves when the run does
  ::fcntl(STDOUT_FILENO, F_SETFL, ::fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
  std::optional<Agent> agent;
  processes::keep_session_folder();
  try {
    if (options.mirror) options.folder.create();
    agent.emplace(options);
    return agent->live();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lockstep-entrypoint: %s\n", error.what());
    return agent ? agent->left_alone() : 1;  // no rank goes on without somebody who looks after it
  }
}

}  // namespace lockstep::node
