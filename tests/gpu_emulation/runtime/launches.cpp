#include "tests/gpu_emulation/runtime/launches.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "tests/gpu_emulation/engine/kernel_name.hpp"

namespace lockstep::emulation {
namespace {

class Launches {
 public:
  explicit Launches(const char* file) : file_(file) {}
  Launches(const Launches&) = delete;
  Launches& operator=(const Launches&) = delete;
  ~Launches() {
    std::string text = "process\t1\n";
    for (const auto& [function, kernel] : kernels_) text += fmt::format("{}\t{}\n", kernel.name, kernel.launches);
    std::ofstream(file_, std::ios::app).write(text.data(), static_cast<std::streamsize>(text.size())).flush();
  }
  void add(const void* function) {
    const std::lock_guard lock(mutex_);
    Kernel& kernel = kernels_[function];
    if (kernel.launches++ == 0) kernel.name = kernel_at(function);
  }

 private:
  struct Kernel {
    std::string name;
    long launches = 0;
  };
  std::string file_;
  std::mutex mutex_;
  std::map<const void*, Kernel> kernels_;
};

// From the start, so that a process without a launch is counted, too.
const char* const file = std::getenv("LOCKSTEP_KERNEL_LAUNCHES");
const std::unique_ptr<Launches> launches = file == nullptr ? nullptr : std::make_unique<Launches>(file);

}  // namespace

void count_launch(const void* function) {
  if (launches && function != nullptr) launches->add(function);
}

}  // namespace lockstep::emulation
