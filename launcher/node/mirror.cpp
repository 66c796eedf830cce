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

namespace lockstep::node {

namespace {
constexpr std::int64_t most_in_a_look = std::int64_t{4} << 20;
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
  while (sent_bytes_ < most_in_a_look && send_whole(ended)) {
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
  if (now_.path.empty()) {
    const bool found = choose_whole(folder_.ranks(), "ranks", true) ||
                       choose_whole(folder_.checkpoints(), "checkpoints", ended) ||
                       choose_whole(folder_.outputs(), "outputs", ended) ||
                       choose_whole(folder_.snapshot() / "outputs", "outputs", ended);
    if (!found) return false;
  }
  send_part();
  return true;
}

bool Mirror::choose_whole(const fs::path& folder, const std::string& shown, bool ended) {
  std::error_code error;
  if (fs::symlink_status(folder, error).type() != fs::file_type::directory) return false;
  const bool is_whole = fs::exists(folder / manifest, error);
  if (is_checkpoint(folder.filename().string()) && !is_whole) return false;
  for (const auto& entry : entries_of(folder)) {
    const std::string name = entry.path().filename().string();
    if (is_folder(entry)) {
      if (choose_whole(entry.path(), shown + "/" + name, ended)) return true;
    } else if (name != manifest && choose_file(entry.path(), shown + "/" + name, ended || is_whole)) {
      return true;
    }
  }
  return is_whole && choose_file(folder / manifest, shown + "/" + manifest, true);
}

bool Mirror::choose_file(const fs::path& file, const std::string& shown, bool ended) {
  Stamp stamp;
  if (!stamp_of(file, stamp)) return false;
  const auto known = whole_.find(shown);
  if (known != whole_.end() && known->second == stamp) return false;
  const std::int64_t age_ms = now_ms() - stamp.changed_ns / 1'000'000;
  if (!ended && age_ms < settled_ms) return false;
  now_ = {fs::relative(file, folder_.root()).string(), stamp, 0};
  whole_[shown] = stamp;  // a file that changes meanwhile has another, and is sent again
  return true;
}

void Mirror::send_part() {
  const std::string source = now_.path;
  constexpr std::string_view replaced = "snapshot/";  // ./outputs, if a program made a folder of the link
  const std::string path = source.starts_with(replaced) ? source.substr(replaced.size()) : source;
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
