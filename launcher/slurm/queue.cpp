#include "launcher/slurm/queue.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "common/clock.hpp"
#include "common/digest.hpp"
#include "common/error.hpp"
#include "launcher/slurm/commands.hpp"
#include "launcher/slurm/fields.hpp"

namespace lockstep::slurm {

namespace {
constexpr std::int64_t answer_lasts_ms = 2000;
constexpr std::chrono::seconds time_for_squeue(10);
constexpr std::size_t queue_columns = 8;

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<QueueRow> read_row(std::string_view line) {
  const auto fields = split(line, '|', queue_columns);
  if (fields.size() != queue_columns) return std::nullopt;
  const auto id = number<std::int64_t>(fields[0]);
  const auto nodes = number<int>(fields[3]);
  const auto priority = number<std::int64_t>(fields[6]);
  if (!id || !nodes || !priority) return std::nullopt;  // of a job array, say
  return QueueRow{*id,       std::string(fields[1]), std::string(fields[2]),
                  *nodes,    std::string(fields[4]), std::string(fields[5]),
                  *priority, std::string(fields[7])};
}

// Slurm's words for why a job waits, as far as a person can do something with them.
std::string why(const std::string& reason) {
  struct Reason {
    const char* word;
    const char* meaning;
  };
  constexpr std::array<Reason, 13> reasons = {{
      {"Resources", "all nodes that fit are taken"},
      {"Priority", "others come before it"},
      {"Licenses", "its licenses are in use"},
      {"BeginTime", "its time has not come yet"},
      {"PartitionDown", "its compute or partition is stopped"},
      {"PartitionNodeLimit", "it wants more nodes than the partition allows"},
      {"PartitionConfig", "it wants more than the partition allows"},
      {"PartitionTimeLimit", "its time limit is above the partition's"},
      {"ReqNodeNotAvail", "nodes that it needs are down or reserved"},
      {"QOSGrpCpuLimit", "the cores of its quota are in use"},
      {"QOSMaxCpuPerUserLimit", "the cores of its user's quota are in use"},
      {"AssocGrpCpuLimit", "the cores of its account are in use"},
      {"JobHeldAdmin", "an administrator holds it back"},
  }};
  for (const auto& each : reasons) {
    if (reason.starts_with(each.word)) return each.meaning;
  }
  return reason == "None" || reason.empty() ? "Slurm is looking at it" : "Slurm says: " + reason;
}

// nullopt: there is none that is young enough, and has the job.
std::optional<std::vector<QueueRow>> last_answer(const fs::path& file, std::optional<std::int64_t> job_id) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return std::nullopt;
  const std::int64_t written_ms = info.st_mtim.tv_sec * std::int64_t{1000} + info.st_mtim.tv_nsec / 1'000'000;
  const std::int64_t age_ms = now_ms() - written_ms;
  if (age_ms < 0 || age_ms > answer_lasts_ms) return std::nullopt;
  auto rows = read_queue(read_file_if_exists(file).value_or(""));
  const bool has_job =
      !job_id || std::any_of(rows.begin(), rows.end(), [&](const QueueRow& row) { return row.job_id == *job_id; });
  return has_job ? std::optional(std::move(rows)) : std::nullopt;
}
}  // namespace

std::vector<std::string> squeue_argv() { return {"squeue", "--noheader", "--all", "--format=%i|%T|%r|%D|%N|%P|%Q|%j"}; }

std::vector<QueueRow> read_queue(std::string_view squeue_output) {
  std::vector<QueueRow> rows;
  for (const auto line : split(squeue_output, '\n')) {
    if (auto row = read_row(line)) rows.push_back(std::move(*row));
  }
  return rows;
}

std::vector<QueueRow> queue(const spec::SlurmEngine& engine, const fs::path& folder,
                            std::optional<std::int64_t> job_id) {
  make_own_folder(folder.parent_path());
  make_own_folder(folder);
  const std::string cluster = sha256_hex(engine.config_file.string()).substr(0, 16);
  const fs::path file = folder / (cluster + ".queue");
  if (auto answer = last_answer(file, job_id)) return std::move(*answer);
  const FileLock lock = FileLock::take(folder / (cluster + ".lock"));
  if (auto answer = last_answer(file, job_id)) return std::move(*answer);  // somebody else has asked meanwhile
  const auto asked = run_program({.argv = squeue_argv(), .environment = environment_for(engine), .working_folder = {}},
                                 time_for_squeue);
  if (asked.exit_code() != 0) throw failure("squeue: {}", asked.output);
  write_file_atomically(file, asked.output, 0600);
  return read_queue(asked.output);
}

std::string queue_text(const std::vector<QueueRow>& rows, std::int64_t job_id, const std::string& licenses) {
  const auto ours = std::find_if(rows.begin(), rows.end(), [&](const QueueRow& row) { return row.job_id == job_id; });
  if (ours == rows.end()) return "";
  const std::string what =
      fmt::format("{} {} of {}", ours->nodes, ours->nodes == 1 ? "node" : "nodes", ours->partition);
  if (ours->state == "CONFIGURING") return fmt::format("{}: they are starting", what);
  if (ours->state != "PENDING") return "";
  const auto before = std::count_if(rows.begin(), rows.end(), [&](const QueueRow& row) {
    const bool first = row.priority > ours->priority || (row.priority == ours->priority && row.job_id < job_id);
    return row.state == "PENDING" && row.partition == ours->partition && first;
  });
  const std::string place =
      before == 0 ? "it is the next" : fmt::format("{} {} before it", before, before == 1 ? "job waits" : "jobs wait");
  const bool for_licenses = ours->reason.starts_with("Licenses") && !licenses.empty();
  return fmt::format("{}; it needs {}: {}", place, what,
                     for_licenses ? fmt::format("too few of its licenses are free ({})", licenses) : why(ours->reason));
}

}  // namespace lockstep::slurm
