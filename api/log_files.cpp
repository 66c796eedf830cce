#include "api/log_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "common/error.hpp"
#include "common/file.hpp"
#include "history/store/artifacts.hpp"

namespace lockstep::api {

// rank-2 before rank-10: runs of digits count as numbers.
static bool natural_less(std::string_view a, std::string_view b) {
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  while (!a.empty() && !b.empty()) {
    if (digit(a.front()) && digit(b.front())) {
      const auto length = [&](std::string_view text) {
        return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), digit) - text.begin());
      };
      const std::size_t of_a = length(a);
      const std::size_t of_b = length(b);
      if (of_a != of_b) return of_a < of_b;
      if (const int order = a.substr(0, of_a).compare(b.substr(0, of_b)); order != 0) return order < 0;
      a.remove_prefix(of_a);
      b.remove_prefix(of_b);
    } else {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.size() < b.size();
}

std::vector<LogFile> list_logs(const RunFolder& folder) {
  std::vector<LogFile> logs;
  for (const auto& each : history::list_artifact_files(folder.logs(), "")) logs.push_back({each.path, each.bytes});
  std::sort(logs.begin(), logs.end(), [](const auto& a, const auto& b) { return natural_less(a.name, b.name); });
  return logs;
}

// The listing refuses what leads out of logs/.
static bool is_log(const RunFolder& folder, const std::string& name) try {
  const auto found = history::list_artifacts(folder.logs(), name);
  return !name.empty() && found.size() == 1 && !found.front().is_folder && found.front().path == name;
} catch (const Error& error) {
  if (error.code() != ExitCode::not_found) throw;
  return false;
}

static Fd open_log(const RunFolder& folder, const std::string& name) {
  if (!is_log(folder, name)) throw not_found("{} has no log '{}'", folder.run_id(), name);
  return open_file(folder.logs() / name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
}

static std::int64_t size_of(const Fd& file) {
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) throw system_failure("cannot look at a log");
  return status.st_size;
}

static std::string read_at(const Fd& file, std::int64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::pread(file.get(), bytes.data() + have, size - have, offset + static_cast<std::int64_t>(have));
    if (got < 0) throw system_failure("cannot read a log");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

static bool continues_a_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// How many bytes at the end are the beginning of a character.
static std::size_t torn_end(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (continues_a_character(static_cast<char>(byte))) continue;
    const std::size_t length = byte >= 0xF0U ? 4 : byte >= 0xE0U ? 3 : byte >= 0xC0U ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

LogPart read_log(const RunFolder& folder, const std::string& name, std::int64_t offset, std::int64_t limit) {
  const Fd file = open_log(folder, name);
  LogPart part;
  part.bytes = size_of(file);
  part.offset = offset >= 0 ? std::min(offset, part.bytes) : std::max<std::int64_t>(0, part.bytes + offset);
  part.text = read_at(file, part.offset, static_cast<std::size_t>(std::min(limit, part.bytes - part.offset)));
  while (offset < 0 && part.offset > 0 && !part.text.empty() && continues_a_character(part.text.front())) {
    part.text.erase(0, 1);
    ++part.offset;
  }
  if (const std::size_t torn = torn_end(part.text); torn < part.text.size()) {
    part.text.resize(part.text.size() - torn);
  }
  part.next_offset = part.offset + static_cast<std::int64_t>(part.text.size());
  return part;
}

LogMatches search_log(const RunFolder& folder, const std::string& name, const std::string& text, int max_results) {
  constexpr std::size_t piece_bytes = 1 << 20;
  constexpr std::int64_t most_bytes = std::int64_t{1} << 30;  // that a request may keep a reader busy with
  constexpr std::size_t most_of_line = 1000;
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  const Fd file = open_log(folder, name);
  LogMatches found;
  std::string held;  // a line that the last piece began
  std::int64_t at = 0;
  std::int64_t line = 1;
  const auto look = [&](std::string_view whole) {
    if (std::search(whole.begin(), whole.end(), text.begin(), text.end(), same) != whole.end()) {
      if (found.matches.size() == static_cast<std::size_t>(max_results)) {
        found.more = true;
        return;
      }
      found.matches.push_back({line, at, std::string(whole.substr(0, most_of_line))});
    }
    ++line;
    at += static_cast<std::int64_t>(whole.size()) + 1;
  };
  for (std::int64_t offset = 0; !found.more;) {
    const std::string piece = read_at(file, offset, piece_bytes);
    offset += static_cast<std::int64_t>(piece.size());
    held += piece;
    std::size_t begin = 0;
    for (std::size_t end = 0; !found.more && (end = held.find('\n', begin)) != std::string::npos; begin = end + 1) {
      look(std::string_view(held).substr(begin, end - begin));
    }
    held.erase(0, begin);
    if (piece.empty() || held.size() > 16 * piece_bytes) {
      if (!held.empty() && !found.more) look(held);
      found.more = found.more || !piece.empty();
      break;
    }
    if (offset >= most_bytes) found.more = true;
  }
  return found;
}

}  // namespace lockstep::api
