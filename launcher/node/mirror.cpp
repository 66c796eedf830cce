#include "launcher/node/mirror.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::node {

namespace {
constexpr std::int64_t most_in_a_look = std::int64_t{1} << 20;
constexpr std::int64_t longest_look_ms = 200;
constexpr std::int64_t piece_bytes = std::int64_t{256} << 10;
constexpr std::int64_t settled_ms = 1000;
constexpr const char* manifest = "manifest.json";

// In the order of their names, without what can't be read.
std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  fs::directory_iterator each(folder, error);
  for (; !error && each != fs::directory_iterator(); each.increment(error)) entries.push_back(*each);
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code error;
  return entry.symlink_status(error).type() == fs::file_type::directory;
}

std::string read_piece(const Fd& file, std::int64_t offset) {
  std::string bytes(static_cast<std::size_t>(piece_bytes), '\0');
  const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), offset);
  if (got < 0) throw system_failure("cannot read");
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

// ./outputs and ./logs, if a program made folders of these links.
std::string shown_path(const std::string& path) {
  if (path.starts_with("snapshot/outputs/")) return path.substr(9);
  if (path.starts_with("snapshot/logs/")) return "logs/user/" + path.substr(14);
  return path;
}

bool is_checkpoint(const std::string& name) { return name.starts_with("step-"); }
}  // namespace

Mirror::Mirror(RunFolder folder, Send send) : folder_(std::move(folder)), send_(std::move(send)) {
  for (const fs::path& each : {folder_.logs(), folder_.metrics(), folder_.tensorboard()}) know_growing(each);
  for (const fs::path& each : {folder_.outputs(), folder_.checkpoints()}) know_whole(each);
}

void Mirror::know_growing(const fs::path& folder) {
  for (const auto& entry : entries_of(folder)) {
    Stamp stamp;
    if (is_folder(entry)) know_growing(entry.path());
    if (stamp_of(entry.path(), stamp)) grown_[fs::relative(entry.path(), folder_.root()).string()] = stamp.size;
  }
}

void Mirror::know_whole(const fs::path& folder) {
  for (const auto& entry : entries_of(folder)) {
    Stamp stamp;
    if (is_folder(entry)) know_whole(entry.path());
    if (stamp_of(entry.path(), stamp)) whole_[fs::relative(entry.path(), folder_.root()).string()] = stamp;
  }
}

bool Mirror::stamp_of(const fs::path& path, Stamp& stamp) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  stamp = {info.st_ino, info.st_size, info.st_mtim.tv_sec * std::int64_t{1'000'000'000} + info.st_mtim.tv_nsec};
  return true;
}

bool Mirror::look(bool ended) {
  sent_bytes_ = 0;
  for (const fs::path& folder : {folder_.logs(), folder_.metrics(), folder_.tensorboard()}) send_growth(folder);
  const std::int64_t deadline = monotonic_ms() + longest_look_ms;
  while (sent_bytes_ < most_in_a_look && monotonic_ms() < deadline && send_whole(ended)) {
  }
  tell_what_is_gone();
  return sent_bytes_ > 0 || !now_.path.empty();
}

void Mirror::send_growth(const fs::path& folder) {
  for (const auto& entry : entries_of(folder)) {
    if (is_folder(entry)) {
      send_growth(entry.path());
      continue;
    }
    Stamp stamp;
    if (!stamp_of(entry.path(), stamp)) continue;
    const std::string path = fs::relative(entry.path(), folder_.root()).string();
    const auto [known, is_new] = grown_.try_emplace(path, 0);
    if (stamp.size < known->second) known->second = 0;  // it was begun anew, and so it is there
    if (is_new && stamp.size == 0) send_({{{"word", "append"}, {"path", path}, {"offset", 0}}});  // it says something
    if (stamp.size <= known->second) continue;
    const Fd file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) continue;
    while (known->second < stamp.size && sent_bytes_ < most_in_a_look) {
      Frame frame{{{"word", "append"}, {"path", path}, {"offset", known->second}}, read_piece(file, known->second)};
      if (frame.body.empty()) break;
      const auto length = static_cast<std::int64_t>(frame.body.size());
      send_(frame);
      known->second += length;
      sent_bytes_ += length;
    }
  }
}

// One piece of the file that is under way, or of the next.
bool Mirror::send_whole(bool ended) {
  while (now_.path.empty()) {
    if (due_.empty() && !walk(ended)) return false;
    now_.path = std::move(due_.front());
    due_.pop_front();
    if (!stamp_of(folder_.root() / now_.path, now_.stamp)) {
      now_ = {};  // it is gone
      continue;
    }
    whole_[now_.path] = now_.stamp;  // a file that changes meanwhile has another stamp, and is sent again
  }
  send_part();
  return true;
}

// Looks for what has changed. Of a large tree it takes its time, so it is not done too often.
bool Mirror::walk(bool ended) {
  const std::int64_t begun = monotonic_ms();
  if (begun < next_walk_ms_ && !ended) return false;
  collect(folder_.ranks(), true, false);
  collect(folder_.checkpoints(), ended, true);
  collect(folder_.outputs(), ended, false);
  for (const char* name : {"outputs", "logs"}) collect(folder_.snapshot() / name, ended, false);
  next_walk_ms_ = monotonic_ms() + 10 * (monotonic_ms() - begun);
  return !due_.empty();
}

// `checkpoints`: the folder is the one of checkpoints, or below it.
void Mirror::collect(const fs::path& folder, bool ended, bool checkpoints) {
  std::error_code error;
  if (fs::symlink_status(folder, error).type() != fs::file_type::directory) return;
  const bool may_be_ours = checkpoints && is_checkpoint(folder.filename().string());
  const bool is_whole = may_be_ours && fs::exists(folder / manifest, error);
  if (may_be_ours && !is_whole && !ended) return;
  auto entries = entries_of(folder);
  if (checkpoints) std::reverse(entries.begin(), entries.end());  // the newest is what a restart needs
  for (const auto& entry : entries) {
    if (is_folder(entry)) {
      collect(entry.path(), ended, checkpoints);
    } else if (!is_whole || entry.path().filename() != manifest) {
      add_if_due(entry.path(), ended || is_whole);
    }
  }
  if (is_whole) add_if_due(folder / manifest, true);
}

void Mirror::add_if_due(const fs::path& file, bool at_once) {
  Stamp stamp;
  if (!stamp_of(file, stamp)) return;
  const std::string path = fs::relative(file, folder_.root()).string();
  const auto known = whole_.find(path);
  if (known != whole_.end() && known->second == stamp) return;
  if (at_once || now_ms() - stamp.changed_ns / 1'000'000 >= settled_ms) due_.push_back(path);
}

void Mirror::send_part() {
  const std::string source = now_.path;
  const std::string path = shown_path(source);
  const Fd file(::open((folder_.root() / source).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) {  // it is gone: what was sent of it stays unfinished
    now_ = {};
    ++sent_bytes_;
    return;
  }
  Frame frame{{{"word", "part"}, {"path", path}, {"offset", now_.offset}, {"mode", info.st_mode & 0777}},
              read_piece(file, now_.offset)};
  const auto length = static_cast<std::int64_t>(frame.body.size());
  const bool last = now_.offset + length >= now_.stamp.size || length == 0;
  frame.head["last"] = last;
  send_(frame);
  now_.offset += length;
  sent_bytes_ += length + 1;
  if (last) now_ = {};
}

// A manifest first, so that nobody there takes what is left for a checkpoint.
void Mirror::tell_what_is_gone() {
  std::vector<std::string> gone;
  for (const auto& [path, stamp] : whole_) {
    Stamp ignored;
    if (path.starts_with("checkpoints/") && !stamp_of(folder_.root() / path, ignored)) gone.push_back(path);
  }
  std::stable_partition(gone.begin(), gone.end(), [](const std::string& path) { return path.ends_with(manifest); });
  for (const auto& path : gone) {
    send_({{{"word", "gone"}, {"path", path}}});
    whole_.erase(path);
  }
}

}  // namespace lockstep::node
