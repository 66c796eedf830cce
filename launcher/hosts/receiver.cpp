#include "launcher/hosts/receiver.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::hosts {

namespace {
// Where ranks write. What else the folder holds (job.yml, state.json, owner.lock) no node has a say in.
constexpr std::array<std::string_view, 6> open_to_nodes = {"logs",        "metrics", "outputs",
                                                           "checkpoints", "ranks",   "tensorboard"};

bool is_welcome(const fs::path& path) {
  if (path.empty() || path.is_absolute() || path != path.lexically_normal()) return false;
  const std::string first = path.begin()->string();
  const bool is_open = std::find(open_to_nodes.begin(), open_to_nodes.end(), first) != open_to_nodes.end();
  return is_open && std::next(path.begin()) != path.end() && path.filename() != "system.log" &&
         std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".." || part.empty(); });
}

void put(const Fd& file, std::string_view bytes, std::int64_t offset) {
  while (!bytes.empty()) {
    const ssize_t got = ::pwrite(file.get(), bytes.data(), bytes.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_failure("cannot write what a node brought");
    bytes.remove_prefix(static_cast<std::size_t>(got));
    offset += got;
  }
}

std::int64_t offset_of(const node::Frame& frame) {
  const auto offset = frame.head.value("offset", std::int64_t{-1});
  if (offset < 0) throw failure("a node brought a piece of a file without its place");
  return offset;
}
}  // namespace

Receiver::Receiver(RunFolder folder, int node, Owners& owners)
    : folder_(std::move(folder)), node_(node), owners_(owners) {}

Receiver::~Receiver() {
  std::error_code ignored;
  for (const auto& each : coming_) fs::remove(each, ignored);
}

fs::path Receiver::place_of(const std::string& path) {
  if (!is_welcome(path)) throw failure("a node may not write to '{}'", path);
  // Of an attempt before this one it may have its place aside already.
  const fs::path aside = folder_.node(node_) / path;
  const bool is_aside = fs::exists(aside) || owners_.emplace(path, node_).first->second != node_;
  const fs::path place = is_aside ? aside : folder_.root() / path;
  fs::create_directories(place.parent_path());
  // A link among the folders would lead elsewhere; neither agents nor we make any.
  for (fs::path each = place.parent_path(); each != folder_.root(); each = each.parent_path()) {
    if (fs::is_symlink(each)) throw failure("{} is a link: nothing is written through it", each.string());
  }
  return place;
}

void Receiver::take(const node::Frame& frame) {
  const std::string word = frame.word();
  if (word != "append" && word != "part" && word != "gone") return;
  const std::string path = frame.head.value("path", "");
  const fs::path place = place_of(path);
  if (word == "gone") {
    std::error_code ignored;
    fs::remove(place, ignored);
    fs::remove(place.parent_path(), ignored);  // only if it is empty
    return;
  }
  const std::int64_t offset = offset_of(frame);
  const bool whole = word == "part";
  const fs::path target = whole ? fs::path(place.string() + ".coming") : place;
  if (whole) coming_.insert(target);
  const int begin_anew = offset == 0 ? O_TRUNC : 0;
  const Fd file = open_file(target, O_WRONLY | O_CREAT | O_NOFOLLOW | begin_anew);
  put(file, frame.body, offset);
  if (!whole || !frame.head.value("last", false)) return;
  ::fchmod(file.get(), frame.head.value("mode", 0644U) & 0777U);
  // A checkpoint that is confirmed survives a power loss, too.
  if (::fsync(file.get()) != 0) throw system_failure("cannot write what a node brought");
  fs::rename(target, place);
  coming_.erase(target);
}

}  // namespace lockstep::hosts
