#include "launcher/machine/system_metrics.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <sstream>
#include <utility>

namespace lockstep::machine {

using history::Metric;

namespace {
constexpr double megabyte = 1e6;  // as MLflow counts

void add(std::vector<Metric>& metrics, const std::string& name, double value) {
  metrics.push_back({"system/" + name, value, 0, 0});
}

double percentage(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }
}  // namespace

std::optional<std::int64_t> sampling_interval_ms(const Environment& environment) {
  constexpr double usual_s = 10;
  constexpr double least_s = 0.1;
  if (environment.contains("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING")) return std::nullopt;
  const auto given = environment.find("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL");
  double seconds = 0;
  const bool is_given = given != environment.end() && std::istringstream(given->second) >> seconds;
  if (!is_given || !(seconds >= least_s && seconds < 1e9)) seconds = usual_s;
  return static_cast<std::int64_t>(1000 * seconds);
}

SystemMetrics::SystemMetrics(fs::path disk, fs::path proc)
    : disk_(std::move(disk)), proc_(std::move(proc)), cpu_before_(cpu_time()), traffic_at_first_(traffic()) {}

// proc(5): "cpu  user nice system idle iowait irq softirq steal ...".
std::optional<SystemMetrics::CpuTime> SystemMetrics::cpu_time() const {
  std::istringstream text(read_file_if_exists(proc_ / "stat").value_or(""));
  std::string word;
  std::int64_t value = 0;
  if (!(text >> word) || word != "cpu") return std::nullopt;
  constexpr int columns = 8;  // guests' time, behind these, is in the user's already
  constexpr int idle = 3;
  constexpr int waiting_for_disks = 4;
  CpuTime time;
  int column = 0;
  for (; column < columns && text >> value; ++column) {
    time.all += value;
    if (column != idle && column != waiting_for_disks) time.busy += value;
  }
  return column == columns ? std::optional(time) : std::nullopt;
}

// proc(5), net/dev: two lines of headings, then "  eth0: received_bytes packets errs ... (8) sent_bytes ...".
std::optional<SystemMetrics::Traffic> SystemMetrics::traffic() const {
  std::istringstream lines(read_file_if_exists(proc_ / "net/dev").value_or(""));
  std::optional<Traffic> sum;
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::istringstream counts(line.substr(colon + 1));
    std::int64_t values[9] = {};
    for (std::int64_t& each : values) counts >> each;
    if (!counts) continue;
    if (!sum) sum = Traffic();
    sum->received += values[0];
    sum->sent += values[8];
  }
  return sum;
}

// proc(5), meminfo, in KiB. What the kernel could give back counts as free.
void SystemMetrics::add_memory(std::vector<Metric>& metrics) const {
  std::istringstream lines(read_file_if_exists(proc_ / "meminfo").value_or(""));
  double total = 0;
  double available = -1;
  std::string name;
  double value = 0;
  for (std::string rest; lines >> name >> value; std::getline(lines, rest)) {
    if (name == "MemTotal:") total = 1024 * value;
    if (name == "MemAvailable:") available = 1024 * value;
  }
  if (total <= 0 || available < 0) return;
  add(metrics, "system_memory_usage_megabytes", (total - available) / megabyte);
  add(metrics, "system_memory_usage_percentage", percentage(total - available, total));
}

// As df counts: what only root may use is neither used nor available.
void SystemMetrics::add_disk(std::vector<Metric>& metrics) const {
  struct statvfs disk = {};
  if (::statvfs(disk_.c_str(), &disk) != 0) return;
  const double block = static_cast<double>(disk.f_frsize);
  const double used = block * static_cast<double>(disk.f_blocks - disk.f_bfree);
  const double available = block * static_cast<double>(disk.f_bavail);
  add(metrics, "disk_usage_megabytes", used / megabyte);
  add(metrics, "disk_usage_percentage", percentage(used, used + available));
  add(metrics, "disk_available_megabytes", available / megabyte);
}

void SystemMetrics::add_gpus(std::vector<Metric>& metrics) {
  if (!nvml_) nvml_.emplace();
  const std::vector<GpuReading> gpus = nvml_->read();
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    const auto add_one = [&](const char* name, double value) {
      add(metrics, fmt::format("gpu_{}_{}", i, name), value);
    };
    const GpuReading& gpu = gpus[i];
    if (gpu.utilization_percentage) add_one("utilization_percentage", *gpu.utilization_percentage);
    if (gpu.temperature_celsius) add_one("temperature_celsius", *gpu.temperature_celsius);
    if (gpu.power_watts) add_one("power_usage_watts", *gpu.power_watts);
    if (gpu.power_watts && gpu.power_limit_watts) {
      add_one("power_usage_percentage", percentage(*gpu.power_watts, *gpu.power_limit_watts));
    }
    if (gpu.memory_used_bytes && gpu.memory_bytes) {
      add_one("memory_usage_megabytes", *gpu.memory_used_bytes / megabyte);
      add_one("memory_usage_percentage", percentage(*gpu.memory_used_bytes, *gpu.memory_bytes));
    }
  }
}

std::vector<Metric> SystemMetrics::sample(std::int64_t timestamp_ms) {
  std::vector<Metric> metrics;
  const auto cpu = cpu_time();
  if (cpu && cpu_before_) {
    add(metrics, "cpu_utilization_percentage",
        percentage(static_cast<double>(cpu->busy - cpu_before_->busy),
                   static_cast<double>(cpu->all - cpu_before_->all)));
  }
  cpu_before_ = cpu;
  add_memory(metrics);
  add_disk(metrics);
  if (const auto now = traffic(); now && traffic_at_first_) {
    add(metrics, "network_receive_megabytes",
        static_cast<double>(now->received - traffic_at_first_->received) / megabyte);
    add(metrics, "network_transmit_megabytes", static_cast<double>(now->sent - traffic_at_first_->sent) / megabyte);
  }
  add_gpus(metrics);
  for (Metric& each : metrics) {
    each.timestamp_ms = timestamp_ms;
    each.step = step_;
  }
  ++step_;
  return metrics;
}

}  // namespace lockstep::machine
