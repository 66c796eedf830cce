#include "launcher/processes/mpi_leftovers.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include "common/error.hpp"

namespace lockstep::processes {

namespace {
using entrypoint::MpiJob;

// Open MPI 4.1: <tmp>/ompi.<host>.<uid>/pid.<mpirun's pid>
struct SessionName {
  std::string host;
  pid_t launcher = 0;
};

std::optional<std::uint64_t> digits(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<std::string_view> between(std::string_view text, std::string_view prefix, std::string_view suffix) {
  if (text.size() < prefix.size() + suffix.size() || !text.starts_with(prefix) || !text.ends_with(suffix)) {
    return std::nullopt;
  }
  return text.substr(prefix.size(), text.size() - prefix.size() - suffix.size());
}

// The folder's path comes from a file that a rank could write: nothing is removed unless it is just what mpirun makes.
std::optional<SessionName> parse_session(const fs::path& folder) {
  const std::string name = folder.filename().string();
  const std::string above = folder.parent_path().filename().string();
  const auto pid = between(name, "pid.", "");
  const auto host = between(above, "ompi.", fmt::format(".{}", ::getuid()));
  if (!pid || !host || host->empty() || !folder.is_absolute() || folder != folder.lexically_normal()) {
    return std::nullopt;
  }
  const auto launcher = digits(*pid);
  if (!launcher || *launcher < 2 || *launcher > std::numeric_limits<pid_t>::max()) return std::nullopt;
  return SessionName{std::string(*host), static_cast<pid_t>(*launcher)};
}

bool is_ours(const fs::path& path, mode_t type) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && (info.st_mode & S_IFMT) == type && info.st_uid == ::getuid();
}

bool is_living_mpirun(pid_t pid) {
  if (!start_time_of(pid)) return false;
  std::error_code error;
  const std::string program = fs::read_symlink(fmt::format("/proc/{}/exe", pid), error).filename().string();
  return error || program.starts_with("orterun") || program.starts_with("mpirun") || program.starts_with("prte");
}

// /dev/shm/vader_segment.<host>.<uid>.<job id>.<local rank>
bool is_segment_of(std::string_view name, const std::string& host, const std::string& job_id) {
  const auto rank = between(name, fmt::format("vader_segment.{}.{}.{}.", host, ::getuid(), job_id), "");
  return rank && digits(*rank);
}

bool is_job_id(const std::string& text) {
  return !text.empty() && text.size() <= 8 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
}

template <class Each>
void for_each_name(const fs::path& folder, const Each& each) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) each(entry->path());
}

void remove_segments(const std::string& host, const std::string& job_id) {
  for_each_name("/dev/shm", [&](const fs::path& path) {
    if (is_segment_of(path.filename().string(), host, job_id) && is_ours(path, S_IFREG)) ::unlink(path.c_str());
  });
}
}  // namespace

// In vain where nothing can be written: then mpirun says so itself, with its remedy.
void keep_session_folder(const fs::path& temporary) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  const std::string_view short_name = std::string_view(host).substr(0, std::string_view(host).find('.'));
  std::error_code ignored;
  const fs::path folder = temporary.empty() ? fs::temp_directory_path(ignored) : temporary;
  const fs::path above = folder / fmt::format("ompi.{}.{}", short_name, ::getuid());
  ::mkdir(above.c_str(), 0700);  // as Open MPI makes it
  ::mkdir((above / "kept-by-lockstep").c_str(), 0700);
}

std::vector<MpiJob> mpi_jobs_of_launcher(pid_t pid) {
  std::vector<MpiJob> jobs;
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  if (error) return jobs;
  for_each_name(temporary, [&](const fs::path& above) {
    const fs::path session = above / fmt::format("pid.{}", pid);
    if (!parse_session(session) || !is_ours(session, S_IFDIR)) return;
    jobs.push_back({"", session});  // the folder, whatever is in it
    for_each_name(session / fmt::format("pmix_dstor_ds21_{}", pid), [&](const fs::path& file) {
      const std::string name = file.filename().string();  // smlockseg-<job id, decimal>
      const auto number = between(name, "smlockseg-", "");
      const auto job = number ? digits(*number) : std::nullopt;
      if (job && *job <= std::numeric_limits<std::uint32_t>::max())
        jobs.push_back({fmt::format("{:x}", *job), session});
    });
  });
  return jobs;
}

void remove_mpi_leftovers(const std::vector<MpiJob>& jobs) {
  for (const MpiJob& job : jobs) {
    const auto session = parse_session(job.session_folder);
    if (!session || is_living_mpirun(session->launcher)) continue;
    if (is_job_id(job.job_id)) remove_segments(session->host, job.job_id);
    std::error_code ignored;
    if (is_ours(job.session_folder, S_IFDIR)) fs::remove_all(job.session_folder, ignored);
  }
}

}  // namespace lockstep::processes
