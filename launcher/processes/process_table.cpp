#include "launcher/processes/process_table.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <set>

namespace lockstep::processes {

namespace {
// Reads /proc/<pid>/<name> without throwing: processes go while we look at them.
std::string read_of(pid_t pid, const char* name) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  const Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
  std::string bytes;
  char buffer[1 << 14];
  while (fd) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
  return bytes;
}

// The fields of /proc/<pid>/stat from the third on (proc(5)): fields[0] is the state.
std::vector<std::string_view> stat_fields(std::string_view stat) {
  std::vector<std::string_view> fields;
  const auto name_end = stat.rfind(')');  // the name may hold blanks and parentheses
  if (name_end == std::string_view::npos) return fields;
  for (std::size_t begin = name_end + 1; begin < stat.size();) {
    const std::size_t end = std::min(stat.find_first_of(" \n", begin), stat.size());
    if (end > begin) fields.push_back(stat.substr(begin, end - begin));
    begin = end + 1;
  }
  return fields;
}

template <class Number>
Number number_in(const std::vector<std::string_view>& fields, int field) {
  Number value = 0;
  const auto text = fields[static_cast<std::size_t>(field - 3)];
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Numbers of fields in proc(5).
constexpr int parent_field = 4;
constexpr int session_field = 6;
constexpr int start_time_field = 22;
constexpr int exit_code_field = 52;

std::optional<ProcessRow> read_row(pid_t pid) {
  const std::string stat = read_of(pid, "stat");
  const auto fields = stat_fields(stat);
  if (fields.size() + 2 < start_time_field || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
  ProcessRow row;
  row.id = {pid, number_in<std::uint64_t>(fields, start_time_field)};
  row.parent = number_in<pid_t>(fields, parent_field);
  row.session = number_in<pid_t>(fields, session_field);
  return row;
}
}  // namespace

static std::vector<pid_t> listed_pids() {
  std::vector<pid_t> pids;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return pids;
  while (const dirent* entry = ::readdir(folder.get())) {
    const char* end = entry->d_name + std::strlen(entry->d_name);
    pid_t pid = 0;
    const auto [stopped, error] = std::from_chars(entry->d_name, end, pid);
    if (error == std::errc() && stopped == end) pids.push_back(pid);
  }
  return pids;
}

// readdir gives the names of one moment: whoever forks and leaves faster than we read the list would never be seen. So
// the youngest come first, and the list is taken again until it names nobody new (or, where new programs start without
// end, often enough).
void for_each_process(const std::function<void(const ProcessRow&)>& each) {
  constexpr int most_lists = 100;
  std::set<pid_t> seen;
  bool somebody_new = true;
  for (int list = 0; list < most_lists && somebody_new; ++list) {
    somebody_new = false;
    const std::vector<pid_t> pids = listed_pids();
    for (auto pid = pids.rbegin(); pid != pids.rend(); ++pid) {
      if (!seen.insert(*pid).second) continue;
      somebody_new = true;
      if (const auto row = read_row(*pid)) each(*row);
    }
  }
}

std::optional<int> status_of_zombie(const ProcessId& process) {
  const std::string stat = read_of(process.pid, "stat");
  const auto fields = stat_fields(stat);
  if (fields.size() + 2 < exit_code_field || fields[0] != "Z") return std::nullopt;
  if (number_in<std::uint64_t>(fields, start_time_field) != process.start_time) return std::nullopt;
  return number_in<int>(fields, exit_code_field);
}

std::string environment_of(pid_t pid) { return read_of(pid, "environ"); }

bool has_entry(std::string_view block, std::string_view entry) {
  for (std::size_t begin = 0; begin < block.size();) {
    const std::size_t end = std::min(block.find('\0', begin), block.size());
    if (block.substr(begin, end - begin) == entry) return true;
    begin = end + 1;
  }
  return false;
}

Environment parse_environment(std::string_view block) {
  Environment all;
  for (std::size_t begin = 0; begin < block.size();) {
    const std::size_t end = std::min(block.find('\0', begin), block.size());
    const std::string_view entry = block.substr(begin, end - begin);
    const auto equals = entry.find('=');
    if (equals != std::string_view::npos) all.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    begin = end + 1;
  }
  return all;
}

}  // namespace lockstep::processes
