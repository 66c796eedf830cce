#include "launcher/node/probe.hpp"

#include <sched.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <nlohmann/json.hpp>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/process.hpp"

namespace lockstep::node {

namespace {
int usable_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  return ::sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
}

// NVIDIA's devices: its library can't be asked by a program without shared libraries.
int gpu_count() {
  int count = 0;
  std::error_code error;
  fs::directory_iterator each("/dev", error);
  for (; !error && each != fs::directory_iterator(); each.increment(error)) {
    const std::string name = each->path().filename().string();
    constexpr std::string_view prefix = "nvidia";
    if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
    if (std::all_of(name.begin() + prefix.size(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) ++count;
  }
  return count;
}

// MemAvailable of /proc/meminfo: what could be had without swapping. sysinfo() does not count the page cache in.
std::int64_t available_memory() {
  const std::string text = read_file_if_exists("/proc/meminfo").value_or("");
  constexpr std::string_view key = "MemAvailable:";
  std::size_t at = text.find(key);
  if (at == std::string::npos) return 0;
  at = text.find_first_not_of(' ', at + key.size());
  std::int64_t kib = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), kib);
  return kib * 1024;
}

double own_time_s() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Arithmetic and memory in turn, measured by the time that this thread had: what else runs there does not count, a
// throttled or broken machine does. The best of five is what the machine can do.
double core_speed() {
  constexpr std::size_t words = std::size_t{1} << 18;  // 2 MiB: past the first caches
  std::vector<std::uint64_t> memory(words, 1);
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const double begun = own_time_s();
    std::uint64_t state = 88172645463325252U;
    for (int step = 0; step < 400'000; ++step) {
      state ^= state << 13U;
      state ^= state >> 7U;
      state ^= state << 17U;
      memory[state % words] += state;
    }
    const volatile std::uint64_t kept = memory[state % words];
    static_cast<void>(kept);
    best = std::max(best, 1 / std::max(1e-9, own_time_s() - begun));
  }
  return best;
}
}  // namespace

std::string open_mpi_version() {
  Environment environment = current_environment();
  if (!find_program("orted", value_of(environment, "PATH"))) return "";
  environment["OMPI_ALLOW_RUN_AS_ROOT"] = environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  try {
    const auto said = run_program({.argv = {"mpirun", "--version"}, .environment = environment, .working_folder = {}},
                                  std::chrono::seconds(10));
    const std::string line = said.output.substr(0, said.output.find('\n'));  // mpirun (Open MPI) 4.1.4
    return said.exit_code() == 0 ? line.substr(line.rfind(' ') + 1) : "?";
  } catch (const Error&) {
    return "?";
  }
}

Probe look_around(const fs::path& folder, const fs::path& file_to_see) {
  Probe probe;
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  probe.host = name.data();
  probe.cores = usable_cores();
  probe.gpus = gpu_count();
  struct sysinfo memory {};
  if (::sysinfo(&memory) == 0) probe.memory_bytes = static_cast<std::int64_t>(memory.totalram) * memory.mem_unit;
  probe.memory_free_bytes = available_memory();
  fs::create_directories(folder);
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) == 0) {
    probe.disk_free_bytes = static_cast<std::int64_t>(disk.f_frsize) * static_cast<std::int64_t>(disk.f_bavail);
  }
  probe.open_mpi = open_mpi_version();
  if (!file_to_see.empty()) {
    try {
      probe.seen = read_file_if_exists(file_to_see, 4096).value_or("");
    } catch (const Error&) {
      probe.seen.clear();  // it is there and can't be read
    }
  }
  probe.speed = core_speed();
  probe.time_ms = now_ms();
  return probe;
}

std::string to_text(const Probe& probe) {
  const nlohmann::json object{{"host", probe.host},
                              {"cores", probe.cores},
                              {"gpus", probe.gpus},
                              {"memory_bytes", probe.memory_bytes},
                              {"memory_free_bytes", probe.memory_free_bytes},
                              {"disk_free_bytes", probe.disk_free_bytes},
                              {"time_ms", probe.time_ms},
                              {"open_mpi", probe.open_mpi},
                              {"seen", probe.seen},
                              {"speed", probe.speed}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::optional<Probe> probe_from_text(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const std::string_view line = text.substr(text.rfind('\n') + 1);
  const auto object = nlohmann::json::parse(line, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  try {
    Probe probe;
    object.at("host").get_to(probe.host);
    object.at("cores").get_to(probe.cores);
    object.at("gpus").get_to(probe.gpus);
    object.at("memory_bytes").get_to(probe.memory_bytes);
    object.at("memory_free_bytes").get_to(probe.memory_free_bytes);
    object.at("disk_free_bytes").get_to(probe.disk_free_bytes);
    object.at("time_ms").get_to(probe.time_ms);
    object.at("open_mpi").get_to(probe.open_mpi);
    object.at("seen").get_to(probe.seen);
    object.at("speed").get_to(probe.speed);
    return probe;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace lockstep::node
