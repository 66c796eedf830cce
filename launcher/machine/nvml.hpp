// NVIDIA's management library (libnvidia-ml.so.1, part of the driver), loaded when it is there.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::machine {

// What one GPU says of itself; nullopt: it does not say.
struct GpuReading {
  std::optional<double> utilization_percentage;
  std::optional<double> memory_used_bytes;
  std::optional<double> memory_bytes;
  std::optional<double> power_watts;
  std::optional<double> power_limit_watts;
  std::optional<double> temperature_celsius;
};

class Nvml {
 public:
  explicit Nvml(const std::string& library = "libnvidia-ml.so.1");
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  std::vector<GpuReading> read();  // by NVML's index; empty: no driver, or no GPU

 private:
  struct Library;
  std::unique_ptr<Library> library_;  // null: it is not there, or refuses
};

}  // namespace lockstep::machine
