#include "launcher/processes/rank_watch.hpp"

#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "common/clock.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/processes/process_table.hpp"

namespace lockstep::processes {

namespace {
// struct pidfd_info of <linux/pidfd.h>, Linux 6.15, which Debian 12's headers do not have yet.
struct PidfdInfo {
  std::uint64_t mask = 0;
  std::uint64_t cgroup = 0;
  std::uint32_t pid_and_user_ids[11] = {};
  std::int32_t exit_code = 0;  // as waitpid gives it; there once the process was reaped
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr unsigned long pidfd_get_info = _IOWR(0xFF, 11, PidfdInfo);
constexpr std::uint64_t pidfd_info_exit = 1U << 3;

std::optional<int> status_of_reaped(int handle) {
  PidfdInfo info;
  info.mask = pidfd_info_exit;
  if (::ioctl(handle, pidfd_get_info, &info) != 0 || (info.mask & pidfd_info_exit) == 0) return std::nullopt;
  return info.exit_code;
}

// Zombies first: one that is reaped between the two looks is caught by the second.
std::optional<int> status_of_ended(const ProcessId& process, int handle) {
  const auto status = status_of_zombie(process);
  return status ? status : status_of_reaped(handle);
}

RankEnd unknown_end(int rank, bool unwatched) { return {rank, std::nullopt, std::nullopt, now_ms(), unwatched}; }
}  // namespace

RankEnd rank_end(int rank, int wait_status, std::int64_t ended_ms) {
  RankEnd end{rank, std::nullopt, std::nullopt, ended_ms, false};
  if (WIFEXITED(wait_status)) end.exit_code = WEXITSTATUS(wait_status);
  if (WIFSIGNALED(wait_status)) end.signal = WTERMSIG(wait_status);
  return end;
}

RankWatch::RankWatch(const RunFolder& folder) : folder_(folder), changes_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  // Registrations come by rename.
  if (changes_ && ::inotify_add_watch(changes_.get(), folder_.ranks().c_str(), IN_MOVED_TO) < 0) changes_.reset();
}

void RankWatch::add_to(std::vector<pollfd>& polls) const {
  if (changes_) polls.push_back({changes_.get(), POLLIN, 0});
  for (const Watched& each : watched_) polls.push_back({each.handle.get(), POLLIN, 0});
}

void RankWatch::update() {
  bool changed = !looked_ || !changes_;
  char events[4096];
  while (changes_ && ::read(changes_.get(), events, sizeof events) > 0) changed = true;
  if (changed) take_up_new();
  looked_ = true;
  note_ends();
}

void RankWatch::take_up_new() {
  for (const auto& registration : entrypoint::read_registrations(folder_)) {
    if (!entrypoint::is_here(registration)) continue;  // mpirun's report has to tell how those ended
    const auto known = known_.find(registration.rank);
    if (known != known_.end() && known->second == registration.process) continue;
    known_[registration.rank] = registration.process;
    Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, registration.process.pid, 0)));
    const bool is_it = is_alive(registration.process) || status_of_zombie(registration.process).has_value();
    if (handle && is_it) {
      watched_.push_back({registration.rank, registration.process, std::move(handle)});
    } else {
      ends_.push_back(unknown_end(registration.rank, true));
    }
  }
}

void RankWatch::note_ends() {
  std::vector<pollfd> polls;
  polls.reserve(watched_.size());
  for (const Watched& each : watched_) polls.push_back({each.handle.get(), POLLIN, 0});
  if (polls.empty() || ::poll(polls.data(), polls.size(), 0) <= 0) return;
  std::vector<Watched> still;
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    Watched& each = watched_[i];
    if (polls[i].revents == 0) {
      still.push_back(std::move(each));
      continue;
    }
    const auto status = status_of_ended(each.process, each.handle.get());
    ends_.push_back(status ? rank_end(each.rank, *status, now_ms()) : unknown_end(each.rank, false));
  }
  watched_ = std::move(still);
}

}  // namespace lockstep::processes
