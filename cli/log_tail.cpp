#include "cli/log_tail.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/error.hpp"

namespace lockstep::cli {

// Whole file descriptors' worth of bytes from where the last read ended.
static std::string read_some(int fd, std::size_t limit, const fs::path& file) {
  std::string bytes(limit, '\0');
  ssize_t count = 0;
  do {
    count = ::read(fd, bytes.data(), bytes.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) throw system_failure(file.string());
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

std::string LogTail::read_new(std::int64_t now_ms, bool all, std::size_t limit) {
  constexpr std::int64_t patience_ms = 300;
  constexpr std::size_t longest_partial = 64 * 1024;
  if (!fd_) fd_ = Fd(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd_) return "";

  std::string bytes = read_some(fd_.get(), limit, file_);
  const bool nothing_new = bytes.empty();
  if (!nothing_new) {
    if (partial_.empty()) partial_since_ms_ = now_ms;
    partial_ += bytes;
  }
  std::size_t give = partial_.rfind('\n') + 1;  // 0 when there is no newline
  const bool overdue = nothing_new && (all || now_ms - partial_since_ms_ >= patience_ms);
  if (overdue || partial_.size() - give > longest_partial) give = partial_.size();
  if (give == 0) return "";
  std::string lines = partial_.substr(0, give);
  partial_.erase(0, give);
  partial_since_ms_ = now_ms;
  return lines;
}

}  // namespace lockstep::cli
