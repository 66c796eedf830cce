// Files: descriptors that close themselves, whole reads with a limit, durable atomic writes, locks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

namespace fs = std::filesystem;

// A file descriptor with one owner. All descriptors made here are close-on-exec.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

Fd open_file(const fs::path& path, int flags, mode_t mode = 0644);  // throws Error with path and reason
std::pair<Fd, Fd> make_pipe();                                      // {read end, write end}

// The whole file. Throws not_found if it does not exist, failure if it is longer than `limit` or not readable.
std::string read_file(const fs::path& path, std::uint64_t limit = std::uint64_t{1} << 30);
std::optional<std::string> read_file_if_exists(const fs::path& path, std::uint64_t limit = std::uint64_t{1} << 30);

// All of `bytes`, through short writes and EINTR. Throws failure.
void write_all(int fd, std::string_view bytes);

// Temporary name, fsync, rename, fsync of the folder: afterwards `path` holds all of `bytes`, whatever happens next;
// before that it holds what it held.
void write_file_durably(const fs::path& path, std::string_view bytes, mode_t mode = 0644);
// The same without the fsyncs: atomic for readers, survives kill -9 but not power loss.
void write_file_atomically(const fs::path& path, std::string_view bytes, mode_t mode = 0644);

// A folder of this user's, for what nobody else may write: makes it (mode 0700) if it is not there. Throws failure when
// somebody else made it first, as anybody can below /tmp.
void make_own_folder(const fs::path& path);

// An exclusive flock. It belongs to the open file description: a forked child that keeps the descriptor holds it too,
// and the kernel drops it when the last holder is gone, however it went.
class FileLock {
 public:
  static std::optional<FileLock> try_take(const fs::path& path);  // creates the file; nullopt when somebody holds it
  static FileLock take(const fs::path& path);                     // waits
  int fd() const { return fd_.get(); }

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace lockstep
