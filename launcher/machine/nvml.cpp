#include "launcher/machine/nvml.hpp"

#include <dlfcn.h>

namespace lockstep::machine {

namespace {
// NVML's ABI, as its reference has it (these entry points have not changed since driver 285). 0 is success.
using Device = void*;
struct Memory {
  unsigned long long total, free, used;
};
struct Utilization {
  unsigned gpu, memory;
};
constexpr int success = 0;
constexpr int sensor_of_the_gpu = 0;
constexpr double milliwatts = 1000;
}  // namespace

struct Nvml::Library {
  explicit Library(void* opened) : handle(opened) {}
  ~Library() {
    if (shutdown != nullptr) shutdown();
    ::dlclose(handle);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  template <class Function>
  bool find(Function*& function, const char* name) const {
    function = reinterpret_cast<Function*>(::dlsym(handle, name));
    return function != nullptr;
  }
  bool find_all() {
    int (*init)() = nullptr;
    const bool all = find(init, "nvmlInit_v2") && find(count, "nvmlDeviceGetCount_v2") &&
                     find(by_index, "nvmlDeviceGetHandleByIndex_v2") && find(memory, "nvmlDeviceGetMemoryInfo") &&
                     find(utilization, "nvmlDeviceGetUtilizationRates") && find(power, "nvmlDeviceGetPowerUsage") &&
                     find(power_limit, "nvmlDeviceGetEnforcedPowerLimit") &&
                     find(temperature, "nvmlDeviceGetTemperature");
    if (!all || init() != success) return false;
    return find(shutdown, "nvmlShutdown");
  }

  void* handle;
  int (*shutdown)() = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*by_index)(unsigned, Device*) = nullptr;
  int (*memory)(Device, Memory*) = nullptr;
  int (*utilization)(Device, Utilization*) = nullptr;
  int (*power)(Device, unsigned*) = nullptr;        // in milliwatts
  int (*power_limit)(Device, unsigned*) = nullptr;  // in milliwatts
  int (*temperature)(Device, int, unsigned*) = nullptr;
};

Nvml::Nvml(const std::string& library) {
  void* const handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return;
  library_ = std::make_unique<Library>(handle);
  if (!library_->find_all()) library_.reset();
}

Nvml::~Nvml() = default;

std::vector<GpuReading> Nvml::read() {
  unsigned count = 0;
  if (!library_ || library_->count(&count) != success) return {};
  std::vector<GpuReading> all(count);
  for (unsigned i = 0; i < count; ++i) {
    Device device = nullptr;
    if (library_->by_index(i, &device) != success) continue;
    GpuReading& reading = all[i];
    unsigned value = 0;
    if (Utilization rates = {}; library_->utilization(device, &rates) == success) {
      reading.utilization_percentage = rates.gpu;
    }
    if (Memory memory = {}; library_->memory(device, &memory) == success) {
      reading.memory_bytes = static_cast<double>(memory.total);
      reading.memory_used_bytes = static_cast<double>(memory.used);
    }
    if (library_->power(device, &value) == success) reading.power_watts = value / milliwatts;
    if (library_->power_limit(device, &value) == success) reading.power_limit_watts = value / milliwatts;
    if (library_->temperature(device, sensor_of_the_gpu, &value) == success) reading.temperature_celsius = value;
  }
  return all;
}

}  // namespace lockstep::machine
