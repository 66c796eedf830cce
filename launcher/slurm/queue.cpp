#include "launcher/slurm/queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "launcher/slurm/fields.hpp"
#include "launcher/slurm/kept_answer.hpp"
#include "launcher/slurm/reasons.hpp"

namespace lockstep::slurm {

namespace {
constexpr std::size_t queue_columns = 10;

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
  return QueueRow{*id,
                  std::string(fields[1]),
                  std::string(fields[2]),
                  *nodes,
                  std::string(fields[4]),
                  std::string(fields[5]),
                  *priority,
                  std::string(fields[7]),
                  std::string(fields[8]),
                  std::string(fields[9])};
}
}  // namespace

std::vector<std::string> squeue_argv() {
  return {"squeue", "--noheader", "--all", "--format=%i|%T|%r|%D|%N|%P|%Q|%q|%a|%j"};
}

std::vector<QueueRow> read_queue(std::string_view squeue_output) {
  std::vector<QueueRow> rows;
  for (const auto line : split(squeue_output, '\n')) {
    if (auto row = read_row(line)) rows.push_back(std::move(*row));
  }
  return rows;
}

std::vector<QueueRow> queue(const spec::SlurmEngine& engine, const fs::path& folder,
                            std::optional<std::int64_t> job_id) {
  return read_queue(kept_answer(engine, folder, squeue_argv(), [job_id](const std::string& answer) {
    const auto rows = read_queue(answer);
    return !job_id || std::any_of(rows.begin(), rows.end(), [&](const QueueRow& row) { return row.job_id == *job_id; });
  }));
}

std::string queue_text(const std::vector<QueueRow>& rows, std::int64_t job_id, const std::string& licenses,
                       const std::string& limit) {
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
  const std::string why = for_licenses     ? fmt::format("too few of its licenses are free ({})", licenses)
                          : !limit.empty() ? limit
                                           : why_it_waits(ours->reason);
  return fmt::format("{}; it needs {}: {}", place, what, why);
}

}  // namespace lockstep::slurm
