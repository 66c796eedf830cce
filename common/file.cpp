#include "common/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "common/error.hpp"

namespace lockstep {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Fd open_file(const fs::path& path, int flags, mode_t mode) {
  Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (fd) return fd;
  if (errno == ENOENT && (flags & O_CREAT) == 0) throw not_found("{}: no such file", path.string());
  throw system_failure("cannot open " + path.string());
}

std::pair<Fd, Fd> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_failure("cannot make a pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

std::string read_file(const fs::path& path, std::uint64_t limit) {
  const Fd fd = open_file(path, O_RDONLY);
  std::string bytes;
  struct stat info {};
  if (::fstat(fd.get(), &info) == 0 && info.st_size > 0) bytes.reserve(static_cast<std::size_t>(info.st_size));
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got == 0) return bytes;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_failure("cannot read " + path.string());
    bytes.append(buffer, static_cast<std::size_t>(got));
    if (bytes.size() > limit) throw bad_input("{}: larger than the limit of {} bytes", path.string(), limit);
  }
}

std::optional<std::string> read_file_if_exists(const fs::path& path, std::uint64_t limit) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  try {
    return read_file(path, limit);
  } catch (const Error& error) {
    if (error.code() == ExitCode::not_found) return std::nullopt;  // gone in between
    throw;
  }
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw system_failure("cannot write");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

static void sync_folder(const fs::path& folder) {
  const Fd fd = open_file(folder.empty() ? fs::path(".") : folder, O_RDONLY | O_DIRECTORY);
  if (::fsync(fd.get()) != 0) throw system_failure("cannot sync " + folder.string());
}

static void write_then_rename(const fs::path& path, std::string_view bytes, mode_t mode, bool durable) {
  static std::atomic<unsigned> counter{0};
  fs::path temporary = path;
  temporary += fmt::format(".{}.{}.part", ::getpid(), counter++);
  try {
    const Fd fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
    write_all(fd.get(), bytes);
    if (durable && ::fdatasync(fd.get()) != 0) throw system_failure("cannot sync " + temporary.string());
    fs::rename(temporary, path);
  } catch (const std::exception& error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw failure("cannot write {}: {}", path.string(), error.what());
  }
  if (durable) sync_folder(path.parent_path());
}

void write_file_durably(const fs::path& path, std::string_view bytes, mode_t mode) {
  write_then_rename(path, bytes, mode, true);
}
void write_file_atomically(const fs::path& path, std::string_view bytes, mode_t mode) {
  write_then_rename(path, bytes, mode, false);
}

static bool lock(int fd, int operation) {
  while (::flock(fd, operation) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) throw system_failure("cannot lock");
  }
  return true;
}

void make_own_folder(const fs::path& path) {
  std::error_code problem;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), problem);
  ::mkdir(path.c_str(), 0700);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) throw system_failure("cannot make " + path.string());
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid()) {
    throw failure("{} belongs to another user, or is no folder", path.string());
  }
}

std::optional<FileLock> FileLock::try_take(const fs::path& path) {
  Fd fd = open_file(path, O_RDWR | O_CREAT);
  if (!lock(fd.get(), LOCK_EX | LOCK_NB)) return std::nullopt;
  return FileLock(std::move(fd));
}

FileLock FileLock::take(const fs::path& path) {
  Fd fd = open_file(path, O_RDWR | O_CREAT);
  lock(fd.get(), LOCK_EX);
  return FileLock(std::move(fd));
}

}  // namespace lockstep
