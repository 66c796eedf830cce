#include "history/sink/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/clock.hpp"
#include "common/error.hpp"

namespace lockstep::history {

namespace {
std::uint64_t size_of(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) throw system_failure("cannot look at a journal");
  return static_cast<std::uint64_t>(info.st_size);
}

std::string last_bytes(int fd, std::uint64_t size, std::uint64_t count) {
  std::string bytes(count, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(size - count + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_failure("cannot read a journal");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

// The sequence after the last whole entry. Looks at the end of the file, and at more of it only if there is none.
std::int64_t next_sequence_of(int fd, std::uint64_t size) {
  for (std::uint64_t window = 1 << 16;; window *= 8) {
    const std::string bytes = last_bytes(fd, size, std::min(window, size));
    std::string_view rest(bytes);
    while (!rest.empty()) {
      if (rest.back() == '\n') rest.remove_suffix(1);
      const auto newline = rest.rfind('\n');
      const std::string_view line = newline == std::string_view::npos ? rest : rest.substr(newline + 1);
      if (const auto entry = parse_journal_line(line)) return entry->sequence + 1;
      rest = newline == std::string_view::npos ? std::string_view() : rest.substr(0, newline + 1);
    }
    if (window >= size) return 0;
  }
}
}  // namespace

std::int64_t next_sequence_in(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return 0;
  const Fd fd = open_file(file, O_RDONLY);
  return next_sequence_of(fd.get(), size_of(fd.get()));
}

Journal::Journal(const fs::path& file, int rank) : fd_(open_file(file, O_RDWR | O_CREAT | O_APPEND)), rank_(rank) {
  const std::uint64_t size = size_of(fd_.get());
  if (size == 0) return;
  next_sequence_ = next_sequence_of(fd_.get(), size);
  if (last_bytes(fd_.get(), size, 1) != "\n") write_all(fd_.get(), "\n");
}

void Journal::log(JournalEntry entry) {
  entry.rank = rank_;
  entry.sequence = next_sequence_;
  if (entry.timestamp_ms == 0) entry.timestamp_ms = now_ms();
  std::string line = journal_line(entry);
  if (line.size() > longest_journal_line) {
    throw bad_input("rank {}: a journal entry of {} bytes is longer than {}; log less at once", rank_, line.size(),
                    longest_journal_line);
  }
  if (cut_) line.insert(0, 1, '\n');
  line += '\n';
  ssize_t put = 0;
  do put = ::write(fd_.get(), line.data(), line.size());
  while (put < 0 && errno == EINTR);
  if (put < 0) throw system_failure(fmt::format("rank {}: cannot write to the journal", rank_));
  if (static_cast<std::size_t>(put) < line.size()) {
    cut_ = true;
    throw failure("rank {}: cannot write to the journal: the disk took {} of {} bytes; is it full?", rank_, put,
                  line.size());
  }
  cut_ = false;
  ++next_sequence_;
}

bool JournalReader::read_more() {
  pending_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  char buffer[1 << 16];
  ssize_t got = 0;
  do got = ::read(fd_.get(), buffer, sizeof buffer);
  while (got < 0 && errno == EINTR);
  if (got < 0) throw system_failure("cannot read " + file_.string());
  pending_.append(buffer, static_cast<std::size_t>(got));
  return got > 0;
}

// The next whole line in what was read. A line that is too long is dropped piece by piece, not collected.
std::optional<std::string_view> JournalReader::next_line() {
  while (true) {
    const auto newline = pending_.find('\n', searched_);
    if (newline == std::string::npos) {
      searched_ = pending_.size();
      if (pending_.size() - begin_ > longest_journal_line) skipping_ = true;
      if (skipping_) begin_ = pending_.size();
      return std::nullopt;
    }
    const std::string_view line = std::string_view(pending_).substr(begin_, newline - begin_);
    begin_ = searched_ = newline + 1;
    if (!skipping_) return line;
    skipping_ = false;
  }
}

std::vector<JournalEntry> JournalReader::read_new(std::size_t max_entries) {
  std::vector<JournalEntry> entries;
  if (!fd_) {
    std::error_code ignored;
    if (!fs::exists(file_, ignored)) return entries;
    fd_ = open_file(file_, O_RDONLY);
  }
  while (entries.size() < max_entries) {
    if (const auto line = next_line()) {
      if (auto entry = parse_journal_line(*line)) entries.push_back(std::move(*entry));
    } else if (!read_more()) {
      break;
    }
  }
  return entries;
}

}  // namespace lockstep::history
