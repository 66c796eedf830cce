#include "history/sink/tensorboard/event_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "history/sink/tensorboard/crc32c.hpp"
#include "history/sink/tensorboard/event.hpp"
#include "history/sink/tensorboard/message.hpp"

namespace lockstep::history::tensorboard {

namespace {
// A checksum of bytes that hold checksums themselves would often be the same number: so they are rotated and shifted.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15U) | (crc << 17U)) + 0xA282EAD8U;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

fs::path new_name(const fs::path& folder, std::string_view ending, std::int64_t timestamp_ms) {
  const std::string stem = fmt::format("events.out.tfevents.{}.{}.{}.", timestamp_ms / 1000, host_name(), ::getpid());
  for (int number = 0;; ++number) {
    fs::path file = folder / fmt::format("{}{}{}", stem, number, ending);
    if (!fs::exists(file)) return file;
  }
}
}  // namespace

std::string record(std::string_view payload) {
  std::string bytes;
  bytes.reserve(payload.size() + 16);
  append_little_endian(bytes, payload.size(), 8);
  append_little_endian(bytes, masked_crc(bytes), 4);
  bytes += payload;
  append_little_endian(bytes, masked_crc(payload), 4);
  return bytes;
}

EventFile::EventFile(const fs::path& folder, std::string_view ending) {
  fs::create_directories(folder);
  const std::int64_t now = now_ms();
  path_ = new_name(folder, ending, now);
  fd_ = open_file(path_, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
  append(record(version_event(now)));
}

EventFile::EventFile(const fs::path& file, std::uint64_t bytes)
    : path_(file), fd_(open_file(file, O_WRONLY | O_APPEND)), bytes_(bytes) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(bytes_)) != 0)
    throw system_failure("cannot go on with " + file.string());
}

void EventFile::append(std::string_view records) {
  ssize_t put = 0;
  do put = ::write(fd_.get(), records.data(), records.size());
  while (put < 0 && errno == EINTR);
  if (put == static_cast<ssize_t>(records.size())) {
    bytes_ += records.size();
    return;
  }
  if (put < 0) throw system_failure("cannot write to " + path_.string());
  // Half a record would hide all that comes after it: without it, or nothing comes after it.
  if (::ftruncate(fd_.get(), static_cast<off_t>(bytes_)) != 0) fd_.reset();
  throw failure("cannot write to {}: the disk took {} of {} bytes; is it full?", path_.string(), put, records.size());
}

bool is_event_file(const fs::path& file) { return file.filename().string().find("tfevents") != std::string::npos; }

}  // namespace lockstep::history::tensorboard
