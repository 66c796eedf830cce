// Two GPUs as NVML would tell of them, for machines that have none. The second has no power sensor.
#include <cstddef>

extern "C" {
struct Memory {
  unsigned long long total, free, used;
};
struct Utilization {
  unsigned gpu, memory;
};
static char devices[2];

int nvmlInit_v2() { return 0; }
int nvmlShutdown() { return 0; }
int nvmlDeviceGetCount_v2(unsigned* count) { return *count = 2, 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) { return *device = &devices[index], 0; }
int nvmlDeviceGetMemoryInfo(void*, Memory* memory) {
  return *memory = {80'000'000'000, 60'000'000'000, 20'000'000'000}, 0;
}
int nvmlDeviceGetUtilizationRates(void* device, Utilization* rates) {
  return *rates = {device == devices ? 97U : 3U, 50}, 0;
}
int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts) {
  constexpr int not_supported = 3;
  return device == devices ? (*milliwatts = 350'000, 0) : not_supported;
}
int nvmlDeviceGetEnforcedPowerLimit(void*, unsigned* milliwatts) { return *milliwatts = 700'000, 0; }
int nvmlDeviceGetTemperature(void*, int, unsigned* degrees) { return *degrees = 61, 0; }
}
