#include "launcher/compute/snapshot.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/digest_stream.hpp"
#include "common/error.hpp"

namespace lockstep::compute {

// Shares the blocks where the file system can (btrfs, XFS), so that the one pass over the bytes is for the hash alone.
static bool share_blocks(int source, int target) { return ::ioctl(target, FICLONE, source) == 0; }

static std::string copy_file(const fs::path& source, const fs::path& target, mode_t mode,
                             const std::function<bool()>& canceled) {
  const Fd in = open_file(source, O_RDONLY | O_NOFOLLOW);
  const Fd out = open_file(target, O_WRONLY | O_CREAT | O_EXCL, mode);
  struct stat info {};
  if (::fstat(in.get(), &info) != 0) throw system_failure("cannot read " + source.string());
  const bool shared = share_blocks(in.get(), out.get());
  DigestStream digest;
  std::string buffer(1 << 20, '\0');
  while (true) {
    if (canceled()) throw failure("canceled");
    const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_failure("cannot read " + source.string());
    if (got == 0) break;
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    digest.add(bytes);
    if (!shared) write_all(out.get(), bytes);
  }
  const timespec times[2] = {info.st_atim, info.st_mtim};
  const bool dressed = ::fchmod(out.get(), mode) == 0 && ::futimens(out.get(), times) == 0;  // whatever the umask is
  if (!dressed) throw system_failure("cannot set mode and times of " + target.string());
  return digest.hex();
}

static char letter_of(CodeEntry::Kind kind) {
  return kind == CodeEntry::Kind::folder ? 'd' : kind == CodeEntry::Kind::link ? 'l' : 'f';
}

std::string copy_code(const CodeListing& listing, const fs::path& code, const fs::path& target,
                      const std::function<bool()>& canceled) {
  std::vector<std::pair<std::string, std::string>> lines;  // name, all that is hashed of it
  for (const auto& entry : listing.entries) {
    const fs::path place = target / entry.path;
    std::string content;
    if (entry.kind == CodeEntry::Kind::folder) {
      fs::create_directory(place);
    } else if (entry.kind == CodeEntry::Kind::link) {
      fs::create_symlink(entry.link_target, place);
      content = entry.link_target;
    } else {
      content = copy_file(code / entry.path, place, entry.mode, canceled);
    }
    const mode_t mode = entry.kind == CodeEntry::Kind::file ? entry.mode : 0;
    lines.emplace_back(entry.path, fmt::format("{} {:o} {}", letter_of(entry.kind), mode, content));
  }
  std::sort(lines.begin(), lines.end());
  DigestStream digest;
  for (const auto& [name, line] : lines) digest.add(fmt::format("{}\n{}", name, line) + '\0');
  return digest.hex();
}

}  // namespace lockstep::compute
