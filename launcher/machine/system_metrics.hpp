// What the machine does while a run is on, under the names of MLflow's client: system/cpu_utilization_percentage and
// its kin (docs/metrics.md lists them).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/file.hpp"
#include "common/process.hpp"
#include "history/store/values.hpp"
#include "launcher/machine/nvml.hpp"

namespace lockstep::machine {

// The time between two samples: 10 s, or MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL seconds. nullopt: none are wanted, as
// MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING is set. If it is true MLflow's client takes its own, under the same names.
std::optional<std::int64_t> sampling_interval_ms(const Environment& environment);

class SystemMetrics {
 public:
  // Percentages and rates are since this moment, or since the sample before. `disk`: a folder on the file system that
  // is meant; `proc`: where the kernel tells.
  explicit SystemMetrics(fs::path disk, fs::path proc = "/proc");

  // One value of each. What can't be read is left out. Steps count samples.
  std::vector<history::Metric> sample(std::int64_t timestamp_ms);

 private:
  struct CpuTime {  // in ticks since the machine started
    std::int64_t busy = 0;
    std::int64_t all = 0;
  };
  struct Traffic {  // in bytes since the machine started, of all interfaces together
    std::int64_t received = 0;
    std::int64_t sent = 0;
  };
  std::optional<CpuTime> cpu_time() const;
  std::optional<Traffic> traffic() const;
  void add_memory(std::vector<history::Metric>& metrics) const;
  void add_disk(std::vector<history::Metric>& metrics) const;
  void add_gpus(std::vector<history::Metric>& metrics);

  fs::path disk_;
  fs::path proc_;
  std::optional<CpuTime> cpu_before_;
  std::optional<Traffic> traffic_at_first_;
  std::optional<Nvml> nvml_;  // from the first sample on: loading it takes its time where there are GPUs
  std::int64_t step_ = 0;
};

}  // namespace lockstep::machine
