#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "common/error.hpp"
#include "common/process_file.hpp"
#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {

namespace {
constexpr std::uint64_t longest_file = 1 << 16;

std::optional<int> small_number(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto value = found->get<std::uint64_t>();
  return value <= std::numeric_limits<int>::max() ? std::optional(static_cast<int>(value)) : std::nullopt;
}

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Registration> parse_registration(const std::string& text, int rank) {
  const auto object = nlohmann::json::parse(text, nullptr, false);
  const auto process = parse_process(text);
  if (!object.is_object() || !process || small_number(object, "rank") != rank) return std::nullopt;
  Registration registration;
  registration.rank = rank;
  registration.node = small_number(object, "node").value_or(0);
  registration.process = *process;
  registration.process_group = small_number(object, "process_group").value_or(0);
  registration.host = text_of(object, "host");
  const MpiJob job{text_of(object, "mpi_job_id"), text_of(object, "mpi_session_folder")};
  if (!job.job_id.empty() && !job.session_folder.empty()) registration.mpi_job = job;
  return registration;
}

// The k of "<k>.json"; nullopt for other names ("<k>.stoppable.json", temporary names).
std::optional<int> rank_of_file(const fs::path& path) {
  const std::string name = path.filename().string();
  int rank = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), rank);
  if (error != std::errc() || rank < 0 || std::string_view(end) != ".json") return std::nullopt;
  return rank;
}
}  // namespace

std::optional<MpiJob> find_mpi_job(const Environment& environment) {
  const std::string number = value_of(environment, "OMPI_MCA_ess_base_jobid");
  const std::string folder = value_of(environment, "OMPI_MCA_orte_jobfam_session_dir");
  std::uint32_t job = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), job);
  if (error != std::errc() || end != number.data() + number.size() || folder.empty()) return std::nullopt;
  return MpiJob{fmt::format("{:x}", job), folder};
}

void write_registration(const RunFolder& folder, const Registration& registration) {
  nlohmann::json object{{"rank", registration.rank},
                        {"node", registration.node},
                        {"pid", registration.process.pid},
                        {"start_time", registration.process.start_time},
                        {"process_group", registration.process_group},
                        {"host", registration.host}};
  if (registration.mpi_job) {
    object["mpi_job_id"] = registration.mpi_job->job_id;
    object["mpi_session_folder"] = registration.mpi_job->session_folder.string();
  }
  const auto text = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  write_file_atomically(folder.rank_file(registration.rank), text + "\n");
}

std::optional<Registration> read_registration(const RunFolder& folder, int rank) {
  try {
    const auto text = read_file_if_exists(folder.rank_file(rank), longest_file);
    return text ? parse_registration(*text, rank) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_here(const Registration& registration) {
  char name[256] = "";
  return registration.host.empty() || (::gethostname(name, sizeof name - 1) == 0 && registration.host == name);
}

std::vector<Registration> read_registrations(const RunFolder& folder) {
  std::vector<Registration> all;
  std::error_code error;
  fs::directory_iterator entry(folder.ranks(), error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto rank = rank_of_file(entry->path());
    if (!rank) continue;
    if (auto registration = read_registration(folder, *rank)) all.push_back(std::move(*registration));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.rank < b.rank; });
  return all;
}

std::optional<ProcessId> read_stoppable(const RunFolder& folder, int rank) {
  return read_process_file(folder.stoppable_file(rank));
}

}  // namespace lockstep::entrypoint
